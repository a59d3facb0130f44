SELECT toString(service_name) AS service, if(lower > 1, assumeNotNull(rates.value), 0) AS value
FROM {view:Identifier}(objective={objective:Float64}, at=toDateTime($__toTime, 'UTC')) AS rates
WHERE kpi = {kpi:String} AND part = {part:String} AND rates.value IS NOT NULL
ORDER BY service
