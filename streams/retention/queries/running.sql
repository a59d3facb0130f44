SELECT count() FROM system.processes WHERE query_kind = 'Insert' AND subtractNanoseconds(now64(9), toInt64(elapsed * 1000000000)) <= toDateTime64({noted:Float64}, 9)
