SELECT
    kpi, service_name AS service, if(model_version = '', '(none)', model_version) AS version, value, lower, upper, n,
    trust, trust_reason
FROM kpi_shares(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=31536000, versions=1)
WHERE kpi IN ('unsafe_served', 'unsafe_attempted', 'injection_flag', 'over_refusal') AND service_name IN (${service:singlequote})
    AND $__conditionalAll(if(model_version = '', '(none)', model_version) IN (${version:singlequote}), $version)
ORDER BY kpi, service, value DESC NULLS LAST
LIMIT 500
