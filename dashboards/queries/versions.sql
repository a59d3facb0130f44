SELECT
    kpi, transform(kpi, {kpis:Array(String)}, {axes:Array(String)}, '') AS axis, service_name AS service, if(model_version = '', '(none)', model_version) AS version, value, lower, upper, n,
    trust, trust_reason
FROM kpi_output_shares(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=31536000, versions=1)
WHERE has({kpis:Array(String)}, kpi) AND service_name IN (${service:singlequote})
    AND $__conditionalAll(if(model_version = '', '(none)', model_version) IN (${version:singlequote}), $version)
ORDER BY kpi, service, value DESC NULLS LAST
LIMIT 500
