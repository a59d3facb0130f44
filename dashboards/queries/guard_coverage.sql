SELECT
    toStartOfInterval(minute, INTERVAL 1 HOUR) AS time,
    service_name,
    1 - sum(uncovered) / nullIf(sum(unsafe_attempted_trials), 0) AS covered
FROM service_minutes_now
WHERE minute BETWEEN $__fromTime AND $__toTime
GROUP BY time, service_name
ORDER BY time
