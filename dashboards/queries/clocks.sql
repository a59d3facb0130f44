SELECT
    replaceRegexpOne(kpi, '_(p90|open)$', '') AS clock, toString(service_name) AS service,
    maxIf(value, NOT match(kpi, '_(p90|open)$')) AS median,
    maxIf(lower, NOT match(kpi, '_(p90|open)$')) AS median_lower,
    maxIf(upper, NOT match(kpi, '_(p90|open)$')) AS median_upper,
    maxIf(value, endsWith(kpi, '_p90')) AS p90, maxIf(n, NOT match(kpi, '_(p90|open)$')) AS finished,
    maxIf(value, endsWith(kpi, '_open')) AS open_median_age, maxIf(n, endsWith(kpi, '_open')) AS open,
    max(trust) AS trust
FROM kpi_durations(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=31536000)
WHERE startsWith(kpi, {prefix:String}) AND service_name IN (${service:singlequote})
GROUP BY clock, service
ORDER BY clock, service
