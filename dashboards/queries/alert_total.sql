SELECT toString(service_name) AS service, assumeNotNull(kpi_totals.value) AS value
FROM kpi_totals(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=31536000, versions=0)
WHERE kpi = {kpi:String} AND kpi_totals.value IS NOT NULL
ORDER BY service
