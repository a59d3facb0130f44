WITH t AS (
    SELECT service_name, sum(events) AS events, sum(calls) AS calls, sum(unsafe_served) AS unsafe,
        sum(unsafe_served_trials) AS outputs, sum(injection_flag) AS injections, sum(leak) AS leaks,
        sum(refusal) AS refusals, sum(error) AS errors, sum(uncovered) AS uncovered, sumMap(latency_bins) AS bins
    FROM service_minutes_now GROUP BY service_name
)
SELECT service_name, events, unsafe, outputs, injections, leaks, refusals, errors,
    round(1 - uncovered / greatest(outputs, 1), 4) AS coverage,
    pow(2, arrayFirst((b, c) -> c >= 0.95 * arraySum(mapValues(bins)), mapKeys(bins),
        arrayCumSum(mapValues(bins))) / 8) AS p95
FROM t ORDER BY service_name
