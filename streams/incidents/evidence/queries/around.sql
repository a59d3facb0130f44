trace_id IN (SELECT trace_id FROM harmed) AND probe_id = ''
        AND time >= fromUnixTimestamp64Nano({since:Int64}, 'UTC') - INTERVAL 1 HOUR
        AND time <= fromUnixTimestamp64Nano({until:Int64}, 'UTC') + INTERVAL 1 HOUR
