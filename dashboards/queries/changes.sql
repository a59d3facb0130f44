SELECT time, service_name AS service, subject_type, subject_name, action, from_version, to_version, trigger, gate_result, reason
FROM changes FINAL
WHERE time >= $__fromTime AND time <= $__toTime AND (service_name IN (${service:singlequote}) OR service_name = '')
ORDER BY time DESC
LIMIT 200
