SELECT time, concat(subject_type, ' ', subject_name, ' ', action, ' ', to_version) AS text, concat(subject_type, ',', action) AS tags
FROM changes FINAL
WHERE time >= $__fromTime AND time <= $__toTime AND (service_name IN (${service:singlequote}) OR service_name = '')
ORDER BY time
LIMIT 500
