SELECT
    tool_name, tool_tier, count() AS calls, countIf(authorization = 'denied') AS denied, denied / calls AS denied_share,
    countIf(error_type != '') AS errors, quantileOrNull(0.95)(duration_ms) AS p95_ms
FROM agent_steps
WHERE time >= greatest($__fromTime, $__toTime - INTERVAL 1 DAY) AND time <= $__toTime AND tool_name != ''
    AND service_name IN (${service:singlequote})
GROUP BY tool_name, tool_tier
ORDER BY denied DESC, calls DESC, tool_name
LIMIT 50
