SELECT toStartOfDay(toDateTime(detected_time, 'UTC')) AS time, toString(severity) AS severity, toNullable(count()) AS raised
FROM findings FINAL
WHERE detected_time >= toStartOfDay($__fromTime) AND detected_time <= $__toTime AND kind != 'recovery'
    AND severity = {severity:String}
GROUP BY time, severity
ORDER BY time
