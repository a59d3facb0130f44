SELECT DISTINCT service_name
FROM service_hours
WHERE hour >= toStartOfHour($__fromTime) AND hour <= $__toTime
    AND $__conditionalAll(service_name IN (
        SELECT service_name FROM inferences
        WHERE time >= $__toTime - INTERVAL 1 DAY AND time <= $__toTime
            AND if(environment = '', '(none)', environment) IN (${environment:singlequote})
    ), $environment)
ORDER BY service_name
