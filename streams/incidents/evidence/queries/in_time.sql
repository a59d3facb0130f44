has({services:Array(String)}, service_name) AND time >= fromUnixTimestamp64Nano({since:Int64}, 'UTC')
    AND time <= fromUnixTimestamp64Nano({until:Int64}, 'UTC') AND probe_id = ''
