SELECT axis, category, layer, sum(findings) AS found, sum(stopped) AS stopped_n, stopped_n / nullIf(found, 0) AS stopped_share
FROM category_minutes_now
WHERE minute >= $__fromTime AND minute <= $__toTime AND service_name IN (${service:singlequote})
    AND $__conditionalAll(if(model_version = '', '(none)', model_version) IN (${version:singlequote}), $version)
    AND $__conditionalAll(if(tenant_id = '', '(none)', tenant_id) IN (${tenant:singlequote}), $tenant)
GROUP BY axis, category, layer
ORDER BY found DESC, category, layer
LIMIT 20
