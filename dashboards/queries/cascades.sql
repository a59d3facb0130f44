SELECT
    toStartOfHour(toDateTime(windows.time, 'UTC')) AS time, toString(service_name) AS service,
    sum(flagged) / nullIf(sum(trials), 0) AS share, toNullable(sum(flagged)) AS unsafe_again
FROM windows FINAL
WHERE windows.time >= greatest($__fromTime, $__toTime - INTERVAL 7 DAY) AND windows.time <= $__toTime AND metric = 'cascade'
    AND service_name IN (${service:singlequote})
GROUP BY time, service
ORDER BY time, service
