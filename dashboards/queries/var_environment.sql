SELECT DISTINCT if(environment = '', '(none)', toString(environment)) AS environment
FROM inferences
WHERE time >= $__toTime - INTERVAL 1 DAY AND time <= $__toTime
ORDER BY environment
