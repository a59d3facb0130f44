SELECT toUnixTimestamp64Nano(time) AS at, service_name, subject_type, subject_name, action, from_version, to_version,
    reason, initiator_id
FROM changes FINAL
WHERE time > {since:DateTime('UTC')} AND time <= {until:DateTime('UTC')}
    AND ({service:String} = '' OR service_name = {service:String})
ORDER BY time DESC LIMIT {most:UInt32}
