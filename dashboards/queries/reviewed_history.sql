SELECT
    window_start AS time, toString(service_name) AS service, value, lower, upper,
    if(trust = 'untrusted', value, NULL) AS untrusted
FROM kpi_reviewed(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=86400, versions=0, known_at=toDateTime($__toTime, 'UTC'))
WHERE service_name IN (${service:singlequote})
ORDER BY time, service
