WITH
    toDateTime64($__toTime, 9, 'UTC') AS at,
    ifNull(acknowledged <= at, false) AS in_hand, ifNull(mitigated <= at, false) AS stopped,
    ifNull(recovered <= at, false) AS back
SELECT
    incident_id, toString(service_name) AS service, toString(family) AS family,
    toString(severity) AS incident_severity,
    toFloat64(dateDiff('second', assumeNotNull(detected), at)
        - transform(toString(severity), {severities:Array(String)}, {seconds:Array(Int64)}, toInt64(0))) AS value
FROM incident_clocks
WHERE (closed IS NULL OR closed > at) AND NOT false_positive AND NOT merged AND detected <= at
    AND has({severities:Array(String)}, severity) AND NOT back
    AND ({clock:String} = 'recover' OR NOT stopped) AND ({clock:String} != 'acknowledge' OR NOT in_hand)
ORDER BY incident_id
