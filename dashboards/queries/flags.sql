SELECT
    toStartOfInterval(minute, INTERVAL 1 HOUR) AS time,
    sum(injection_flag) AS injections,
    sum(leak) AS leaks,
    sum(denied_tool) AS denied_tools
FROM service_minutes_now
WHERE minute BETWEEN $__fromTime AND $__toTime
GROUP BY time
ORDER BY time
