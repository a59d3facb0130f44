SELECT detected_time AS time, severity, kind, service_name, metric, evidence
FROM findings FINAL
WHERE detected_time BETWEEN $__fromTime AND $__toTime
ORDER BY detected_time DESC
LIMIT 200
