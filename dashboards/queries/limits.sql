SELECT
    service_name, if(tenant_id = '', '(none)', toString(tenant_id)) AS tenant, limited_by, sum(limited) AS limited_calls,
    limited_calls / sum(calls) AS share, avg(share_of_service) AS share_of_service_mean
FROM limits
WHERE hour >= toStartOfHour($__fromTime) AND hour <= $__toTime AND service_name IN (${service:singlequote})
    AND $__conditionalAll(if(model_version = '', '(none)', model_version) IN (${version:singlequote}), $version)
    AND $__conditionalAll(if(tenant_id = '', '(none)', tenant_id) IN (${tenant:singlequote}), $tenant)
GROUP BY service_name, tenant, limited_by
ORDER BY limited_calls DESC, service_name, tenant, limited_by
LIMIT 20
