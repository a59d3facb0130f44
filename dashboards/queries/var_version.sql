SELECT DISTINCT if(model_version = '', '(none)', toString(model_version)) AS version
FROM service_hours
WHERE hour >= toStartOfHour($__fromTime) AND hour <= $__toTime AND service_name IN (${service:singlequote})
    AND model_version != '~unknown'
ORDER BY version
LIMIT 1000
