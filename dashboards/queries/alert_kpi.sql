SELECT toString(service_name) AS service, assumeNotNull(counted.{bound:Identifier}) AS value
FROM {view:Identifier}(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=31536000, versions=0) AS counted
WHERE kpi = {kpi:String} AND counted.{bound:Identifier} IS NOT NULL
ORDER BY service
