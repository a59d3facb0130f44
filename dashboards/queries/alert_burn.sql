SELECT toString(service_name) AS service, if(lower > 1, assumeNotNull(kpi_burn_rates.value), 0) AS value
FROM kpi_burn_rates(objective={objective:Float64}, at=toDateTime($__toTime, 'UTC'))
WHERE part = {part:String} AND kpi_burn_rates.value IS NOT NULL
ORDER BY service
