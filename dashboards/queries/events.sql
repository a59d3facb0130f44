WITH $__toTime - $__fromTime <= 172800 AS short, greatest($__interval_s, if(short, 60, 3600)) AS seconds
SELECT
    toStartOfInterval(counted.at, toIntervalSecond(seconds)) AS time, toString(service_name) AS service,
    toNullable(sum(events) / seconds) AS events
FROM (
    SELECT minute AS at, tenant_id, service_name, model_version, events FROM service_minutes FINAL
    WHERE short AND minute >= $__fromTime AND minute <= $__toTime
    UNION ALL
    SELECT hour, tenant_id, service_name, model_version, events FROM service_hours FINAL
    WHERE NOT short AND hour >= toStartOfHour($__fromTime) AND hour <= $__toTime
) AS counted
WHERE service_name IN (${service:singlequote})
    AND $__conditionalAll(if(model_version = '', '(none)', model_version) IN (${version:singlequote}), $version)
    AND $__conditionalAll(if(tenant_id = '', '(none)', tenant_id) IN (${tenant:singlequote}), $tenant)
GROUP BY time, service
ORDER BY time, service
