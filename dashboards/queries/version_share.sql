SELECT hour AS time, concat(service_name, ' ', transform(toString(model_version), ['', '~unknown'], ['(none)', '(not known)'], toString(model_version))) AS version, toNullable(sum(calls)) AS calls
FROM service_hours_now
WHERE hour >= toStartOfHour($__fromTime) AND hour <= $__toTime AND service_name IN (${service:singlequote})
    AND $__conditionalAll(if(model_version = '', '(none)', model_version) IN (${version:singlequote}), $version)
    AND $__conditionalAll(if(tenant_id = '', '(none)', tenant_id) IN (${tenant:singlequote}), $tenant)
GROUP BY time, version
ORDER BY time, version
