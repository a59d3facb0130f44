SELECT
    window_start AS time, toString(service_name) AS service, value, lower, upper,
    if(trust = 'untrusted', value, NULL) AS untrusted
FROM kpi_agreements(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=86400)
WHERE service_name IN (${service:singlequote})
ORDER BY time, service
