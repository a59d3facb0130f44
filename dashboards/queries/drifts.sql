SELECT detected_time AS time, kind, toString(service_name) AS service, model_version AS version, metric, ended,
    if(ended IS NULL, 'open', 'over') AS state
FROM drift_indicators
WHERE detected_time <= $__toTime AND (ended IS NULL OR ended >= $__fromTime) AND service_name IN (${service:singlequote})
ORDER BY time DESC
LIMIT 200
