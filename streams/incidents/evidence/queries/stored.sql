SELECT toUnixTimestamp64Nano(min(latest)) AS until FROM (
    SELECT kafka_partition, max(time) AS latest FROM (
        SELECT kafka_partition, time FROM inferences WHERE time >= fromUnixTimestamp64Nano({since:Int64}, 'UTC')
        UNION ALL
        SELECT kafka_partition, time FROM agent_steps WHERE time >= fromUnixTimestamp64Nano({since:Int64}, 'UTC')
        UNION ALL
        SELECT kafka_partition, time FROM telemetry WHERE time >= fromUnixTimestamp64Nano({since:Int64}, 'UTC')
    ) GROUP BY kafka_partition
)
