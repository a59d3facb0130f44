SELECT
    shares.part AS axis, transform(kpi, {kpis:Array(String)}, {titles:Array(String)}, '') AS kpi_title,
    toString(service_name) AS service, value, lower, upper, n, trust, trust_reason
FROM (
    SELECT kpi, part, service_name, value, lower, upper, n, trust, trust_reason FROM kpi_axis_outputs(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=31536000, versions=0, objective={objective:Float64}) UNION ALL
    SELECT kpi, part, service_name, value, lower, upper, n, trust, trust_reason FROM kpi_axis_uptimes(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=31536000, versions=0, objective={objective:Float64})
) AS shares
WHERE has({kpis:Array(String)}, kpi) AND service_name IN (${service:singlequote})
ORDER BY indexOf({kpis:Array(String)}, kpi), service, axis
LIMIT 500
