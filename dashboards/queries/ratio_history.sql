SELECT
    window_start AS time, toString(service_name) AS service, value, lower, upper,
    if(trust = 'untrusted', value, NULL) AS untrusted
FROM {view:Identifier}(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=3600, versions=0)
WHERE kpi = {kpi:String} AND service_name IN (${service:singlequote})
ORDER BY time, service
