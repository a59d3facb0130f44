SELECT
    guard_name, layer, mode, count() AS verdicts, countIf(status != 'ok') AS not_ok, not_ok / verdicts AS not_ok_share,
    quantileOrNull(0.5)(latency_ms) AS p50_ms, quantileOrNull(0.95)(latency_ms) AS p95_ms
FROM guard_verdicts
WHERE time >= greatest($__fromTime, $__toTime - INTERVAL 1 DAY) AND time <= $__toTime AND service_name IN (${service:singlequote})
GROUP BY guard_name, layer, mode
ORDER BY not_ok_share DESC, guard_name, layer, mode
LIMIT 100
