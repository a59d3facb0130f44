WITH
    1.959963984540054 AS z, sum({flagged:Identifier}) AS k, sum({trials:Identifier}) AS trials,
    k / nullIf(trials, 0) AS p, 1 + z * z / nullIf(trials, 0) AS scale, (p + z * z / (2 * nullIf(trials, 0))) / scale AS middle,
    z / scale * sqrt(p * (1 - p) / nullIf(trials, 0) + z * z / (4 * pow(nullIf(trials, 0), 2))) AS half
SELECT
    hour AS time, p AS value, greatest(middle - half, 0) AS lower, least(middle + half, 1) AS upper,
    if(max(trusts.guard_trust) = 'untrusted', p, NULL) AS untrusted
FROM service_hours_now AS counted
LEFT JOIN (
    SELECT window_start, service_name, guard_trust FROM trust_hours
    WHERE window_start >= toStartOfHour($__fromTime) AND window_start <= $__toTime
) AS trusts ON trusts.window_start = counted.hour AND trusts.service_name = counted.service_name
WHERE hour >= toStartOfHour($__fromTime) AND hour <= $__toTime AND counted.service_name IN (${service:singlequote})
    AND $__conditionalAll(if(model_version = '', '(none)', model_version) IN (${version:singlequote}), $version)
    AND $__conditionalAll(if(tenant_id = '', '(none)', tenant_id) IN (${tenant:singlequote}), $tenant)
GROUP BY time
ORDER BY time
