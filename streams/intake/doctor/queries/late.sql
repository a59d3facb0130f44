countIf(toUnixTimestamp64Nano(counted_time) != 0 AND toUnixTimestamp64Nano(counted_time) - toUnixTimestamp64Nano(time) > {late:Int64}) AS late
