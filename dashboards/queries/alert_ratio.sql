SELECT toString(service_name) AS service, assumeNotNull(if({bound:String} = 'lower', lower, upper)) AS value
FROM {view:Identifier}(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=31536000, versions=0)
WHERE kpi = {kpi:String} AND lower IS NOT NULL AND upper IS NOT NULL
ORDER BY service
