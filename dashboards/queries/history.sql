SELECT
    window_start AS time, toString(service_name) AS service, value, lower, upper,
    if(trust = 'untrusted', value, NULL) AS untrusted
FROM {view:Identifier}(
    since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step={step:UInt32}, versions=0,
    objective={objective:Float64}, known_at=toDateTime($__toTime, 'UTC')
)
WHERE kpi = {kpi:String} AND service_name IN (${service:singlequote})
ORDER BY time, service
