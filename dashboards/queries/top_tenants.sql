SELECT
    if(tenant_id = '', '(none)', toString(tenant_id)) AS tenant, sum(unsafe_served) AS unsafe_served_n, sum(unsafe_served_trials) AS outputs,
    unsafe_served_n / nullIf(outputs, 0) AS unsafe_share, sum(injection_flag) AS injections, sum(leak) AS leaks,
    sum(denied_tool) AS denied_tools
FROM service_hours_now
WHERE hour >= toStartOfHour($__fromTime) AND hour <= $__toTime AND service_name IN (${service:singlequote})
    AND $__conditionalAll(if(model_version = '', '(none)', model_version) IN (${version:singlequote}), $version)
    AND $__conditionalAll(if(tenant_id = '', '(none)', tenant_id) IN (${tenant:singlequote}), $tenant)
GROUP BY tenant
ORDER BY unsafe_served_n + injections + leaks + denied_tools DESC, tenant
LIMIT 20
