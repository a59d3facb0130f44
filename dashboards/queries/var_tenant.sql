SELECT DISTINCT if(tenant_id = '', '(none)', toString(tenant_id)) AS tenant
FROM service_hours
WHERE hour >= toStartOfHour($__fromTime) AND hour <= $__toTime AND service_name IN (${service:singlequote})
ORDER BY tenant
LIMIT 1000
