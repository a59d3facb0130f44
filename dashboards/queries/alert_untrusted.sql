SELECT toString(service_name) AS service, countIf(trust = 'untrusted') / count() AS value
FROM kpi_trust
WHERE window_start >= toStartOfHour($__fromTime) AND window_start <= $__toTime
GROUP BY service
ORDER BY service
