SELECT
    toStartOfInterval(minute, INTERVAL 1 HOUR) AS time,
    service_name,
    sum(unsafe_served) / nullIf(sum(unsafe_served_trials), 0) AS unsafe_served
FROM service_minutes_now
WHERE minute BETWEEN $__fromTime AND $__toTime
GROUP BY time, service_name
ORDER BY time
