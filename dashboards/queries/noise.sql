SELECT
    kind, metric, severity, count() AS raised, count() / greatest(dateDiff('second', $__fromTime, $__toTime) / 86400, 1 / 24) AS raised_per_day,
    quantileOrNull(0.5)(e_value / nullIf(promise, 0)) AS median_strength
FROM findings FINAL
WHERE detected_time >= $__fromTime AND detected_time <= $__toTime AND kind != 'recovery' AND service_name IN (${service:singlequote})
GROUP BY kind, metric, severity
ORDER BY raised DESC, kind, metric
LIMIT 100
