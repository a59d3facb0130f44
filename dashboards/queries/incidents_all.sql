SELECT
    assumeNotNull(detected) AS time, incident_id, severity, toString(service_name) AS service, family, onset, acknowledged, mitigated,
    recovered, closed, false_positive, reached_user
FROM incident_clocks
WHERE detected >= $__fromTime AND detected <= $__toTime AND NOT merged AND service_name IN (${service:singlequote})
ORDER BY time DESC
LIMIT 500
