WITH
    transform(kpi, {kpis:Array(String)}, {titles:Array(String)}, '') AS title,
    transform(kpi, {kpis:Array(String)}, {axes:Array(String)}, '') AS axis,
    transform(kpi, {kpis:Array(String)}, {units:Array(String)}, '') AS unit,
    transform(kpi, {kpis:Array(String)}, {objectives:Array(Float64)}, toFloat64(0)) AS objective,
    transform(kpi, {kpis:Array(String)}, {worse:Array(Int8)}, toInt8(0)) AS worse,
    (x -> multiIf(x IS NULL, '?', unit = 'percentunit', concat(toString(round(100 * assumeNotNull(x), 2)), ' %'),
        unit = 's', concat(toString(round(assumeNotNull(x) / 60, 1)), ' min'), toString(round(assumeNotNull(x), 2)))) AS written
SELECT
    title AS kpi_title, axis,
    multiIf(value IS NULL, 'unknown',
        worse * (if(worse = 1, ifNull(lower, value), ifNull(upper, value)) - objective) > 0, 'missed',
        worse * (value - objective) > 0, 'at risk', 'met') AS state,
    if(service_name = '', 'all', toString(service_name)) AS service,
    written(value) AS now, if(lower IS NULL AND upper IS NULL, '', concat(written(lower), ' to ', written(upper))) AS interval_95,
    concat(if(worse = 1, 'at most ', 'at least '), written(toNullable(objective))) AS wanted, n, trust, trust_reason
FROM (
    SELECT kpi, service_name, value, lower, upper, n, trust, trust_reason FROM kpi_outputs(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=31536000, versions=0, objective={objective:Float64}) UNION ALL
    SELECT kpi, service_name, value, lower, upper, n, trust, trust_reason FROM kpi_guards(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=31536000) UNION ALL
    SELECT kpi, service_name, value, lower, upper, n, trust, trust_reason FROM kpi_calls(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=31536000, versions=0) UNION ALL
    SELECT kpi, service_name, value, lower, upper, n, trust, trust_reason FROM kpi_losses(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=31536000) UNION ALL
    SELECT kpi, service_name, value, lower, upper, n, trust, trust_reason FROM kpi_known_shares(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=31536000, versions=0) UNION ALL
    SELECT kpi, service_name, value, lower, upper, n, trust, trust_reason FROM kpi_leaks(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=31536000) UNION ALL
    SELECT kpi, service_name, value, lower, upper, n, trust, trust_reason FROM kpi_drifts(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=31536000) UNION ALL
    SELECT kpi, service_name, value, lower, upper, n, trust, trust_reason FROM kpi_uptimes(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=31536000, versions=0, objective={objective:Float64}) UNION ALL
    SELECT kpi, service_name, value, lower, upper, n, trust, trust_reason FROM kpi_durations(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=31536000) UNION ALL
    SELECT kpi, service_name, value, lower, upper, n, trust, trust_reason FROM kpi_reviewed(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=31536000, versions=0, known_at=toDateTime($__toTime, 'UTC')) UNION ALL
    SELECT kpi, service_name, value, lower, upper, n, trust, trust_reason FROM kpi_agreements(since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=31536000) UNION ALL
    SELECT kpi, service_name, value, lower, upper, n, trust, trust_reason FROM kpi_evaluations(until=toDateTime($__toTime, 'UTC')) UNION ALL
    SELECT kpi, service_name, value, lower, upper, n, trust, trust_reason FROM kpi_governance_now
)
WHERE has({kpis:Array(String)}, kpi) AND (service_name IN (${service:singlequote}) OR service_name = '')
ORDER BY indexOf(['missed', 'unknown', 'at risk', 'met'], state), worse * (ifNull(value, objective) - objective) DESC, kpi_title, service
LIMIT 1 BY kpi_title
