SELECT
    detected_time AS time, severity, kind, toString(service_name) AS service,
    transform(toString(family), {families:Array(String)}, {axes:Array(String)}, '') AS axis, metric, model_version AS version, onset_time AS onset,
    rate, rate_lower, rate_upper, baseline, flagged, sample_size, e_value, promise, arrayStringConcat(changes, ', ') AS changed, evidence
FROM findings FINAL
WHERE detected_time >= $__fromTime AND detected_time <= $__toTime AND has({kinds:Array(String)}, kind)
    AND service_name IN (${service:singlequote})
ORDER BY time DESC
LIMIT 200
