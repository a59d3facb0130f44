SELECT toString(service_name) AS service, countIf(trust = 'untrusted') / count() AS value
FROM trust_hours
WHERE window_start >= toStartOfHour($__fromTime) AND window_start <= $__toTime
GROUP BY service
ORDER BY service
