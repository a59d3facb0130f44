SELECT
    assumeNotNull(ifNull(onset, detected)) AS time, coalesce(closed, recovered, toDateTime64($__toTime, 9, 'UTC')) AS timeEnd,
    concat(severity, ' ', family, ' of ', service_name, ': ', incident_id) AS text, concat(severity, ',', family) AS tags
FROM incident_clocks
WHERE time <= $__toTime AND timeEnd >= $__fromTime AND NOT merged AND service_name IN (${service:singlequote})
ORDER BY time
LIMIT 500
