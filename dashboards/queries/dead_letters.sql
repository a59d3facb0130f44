SELECT toStartOfHour(toDateTime(dead_letters.time, 'UTC')) AS time, toString(reason) AS reason, toNullable(count()) AS refused
FROM dead_letters FINAL
WHERE dead_letters.time >= $__fromTime AND dead_letters.time <= $__toTime
GROUP BY time, reason
ORDER BY time, reason
