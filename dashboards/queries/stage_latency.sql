SELECT
    window_start AS time, concat(part, ' ', service_name) AS stage, value, lower, upper,
    if(trust = 'untrusted', value, NULL) AS untrusted
FROM kpi_latencies(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=toUInt32(greatest(1, intDiv($__toTime - $__fromTime, 864000)) * 3600), versions=0)
WHERE kpi = {kpi:String} AND service_name IN (${service:singlequote})
ORDER BY time, stage
