SELECT toString(reason) AS reason, toFloat64(count()) AS value
FROM dead_letters FINAL
WHERE time >= $__fromTime AND time <= $__toTime
GROUP BY reason
ORDER BY reason
