SELECT toStartOfHour(toDateTime(time, 'UTC')) AS time, concat(receiver, ' ', status) AS receiver, toNullable(count()) AS attempts
FROM deliveries FINAL
WHERE deliveries.time >= $__fromTime AND deliveries.time <= $__toTime
GROUP BY time, receiver
ORDER BY time, receiver
