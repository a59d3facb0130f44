SELECT
    incident_id, toString(service_name) AS service, toString(family) AS family, toString(severity) AS incident_severity,
    toFloat64(dateDiff('second', assumeNotNull(detected), toDateTime64($__toTime, 3, 'UTC'))
        - transform(toString(severity), {severities:Array(String)}, {seconds:Array(Int64)}, toInt64(0))) AS value
FROM incident_clocks
WHERE closed IS NULL AND NOT false_positive AND NOT merged AND has({severities:Array(String)}, severity)
    AND multiIf(
        {clock:String} = 'acknowledge', acknowledged IS NULL AND mitigated IS NULL AND recovered IS NULL,
        {clock:String} = 'mitigate', mitigated IS NULL AND recovered IS NULL,
        recovered IS NULL)
ORDER BY incident_id
