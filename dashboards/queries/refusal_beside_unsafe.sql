SELECT
    window_start AS time, toString(service_name) AS service,
    maxIf(value, kpi = 'over_refusal') AS over_refusal, maxIf(value, kpi = 'unsafe_served') AS unsafe_served,
    maxIf(value, trust = 'untrusted') AS untrusted
FROM kpi_shares(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=3600, versions=0)
WHERE kpi IN ('over_refusal', 'unsafe_served') AND service_name IN (${service:singlequote})
GROUP BY time, service
ORDER BY time, service
