SELECT change_id, subject_type, subject_name, action, from_version, to_version, service_name, reason,
    toUnixTimestamp64Nano(time) AS at
FROM changes FINAL
WHERE has({services:Array(String)}, service_name)
    AND time BETWEEN fromUnixTimestamp64Nano({since:Int64}, 'UTC') - INTERVAL 1 DAY
    AND fromUnixTimestamp64Nano({until:Int64}, 'UTC')
ORDER BY time DESC LIMIT 20
