SELECT concat(service_name, if(trust = 'untrusted', concat(' - untrusted: ', trust_reason), '')) AS service, value
FROM {view:Identifier}(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=31536000, versions=0)
WHERE kpi = {kpi:String} AND service_name IN (${service:singlequote})
ORDER BY value * {worse:Int8} DESC NULLS LAST, service
LIMIT 1
