SELECT hour AS time, toString(service_name) AS service, toNullable(sum(guard_not_ok)) AS not_ok, toNullable(sum(uncovered)) AS uncovered
FROM service_hours_now
WHERE hour >= toStartOfHour($__fromTime) AND hour <= $__toTime AND service_name IN (${service:singlequote})
    AND $__conditionalAll(if(model_version = '', '(none)', model_version) IN (${version:singlequote}), $version)
    AND $__conditionalAll(if(tenant_id = '', '(none)', tenant_id) IN (${tenant:singlequote}), $tenant)
GROUP BY time, service
ORDER BY time, service
