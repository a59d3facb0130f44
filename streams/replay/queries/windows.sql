SELECT payload FROM window_messages FINAL
WHERE time >= fromUnixTimestamp({since:Int64}) AND time < fromUnixTimestamp({until:Int64}) AND kafka_partition = {partition:Int32}
ORDER BY tick, source_partition
