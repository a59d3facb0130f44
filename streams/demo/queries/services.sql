WITH t AS (
    SELECT service_name, sum(events) AS events, sum(calls) AS calls, sum(unsafe_served) AS unsafe,
        sum(unsafe_served_trials) AS outputs, sum(injection_flag) AS injections, sum(leak) AS leaks,
        sum(refusal) AS refusals, sum(error) AS errors, sum(uncovered) AS uncovered, sumMap(latency_bins) AS bins
    FROM service_minutes_now GROUP BY service_name
)
SELECT service_name, events, unsafe, outputs, injections, leaks, refusals, errors,
    round(1 - uncovered / greatest(outputs, 1), 4) AS coverage,
    greatest(outputs, 1) AS o, unsafe / o AS p, 1 + 3.84 / o AS scale, (p + 1.92 / o) / scale AS middle,
    1.96 * sqrt(p * (1 - p) / o + 0.9604 / o / o) / scale AS half,
    if(unsafe = 0, 0, greatest(middle - half, 0)) AS low, if(unsafe = o, 1, least(middle + half, 1)) AS high,
    pow(2, arrayFirst((b, c) -> c >= 0.95 * arraySum(mapValues(bins)), mapKeys(bins),
        arrayCumSum(mapValues(bins))) / 8) AS p95
FROM t ORDER BY service_name
