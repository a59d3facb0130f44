SELECT $__timeInterval(minute) AS time, toString(service_name) AS service, toNullable(sum(events) / $__interval_s) AS events
FROM service_minutes_now
WHERE minute >= $__fromTime AND minute <= $__toTime AND service_name IN (${service:singlequote})
    AND $__conditionalAll(if(model_version = '', '(none)', model_version) IN (${version:singlequote}), $version)
    AND $__conditionalAll(if(tenant_id = '', '(none)', tenant_id) IN (${tenant:singlequote}), $tenant)
GROUP BY time, service
ORDER BY time, service
