SELECT
    incident_id, severity, toString(service_name) AS service, family,
    multiIf(recovered IS NOT NULL, 'recovered', mitigated IS NOT NULL, 'mitigated', acknowledged IS NOT NULL, 'acknowledged', 'detected') AS state,
    detected, dateDiff('second', ifNull(onset, detected), toDateTime64($__toTime, 3, 'UTC')) AS since_onset,
    dateDiff('second', detected, toDateTime64($__toTime, 3, 'UTC')) AS since_detected,
    if(acknowledged IS NULL, since_detected, NULL) AS waiting_for_acknowledgement,
    if(mitigated IS NULL AND recovered IS NULL, since_detected, NULL) AS waiting_for_mitigation,
    if(recovered IS NULL, since_detected, NULL) AS waiting_for_recovery, reached_user
FROM incident_clocks
WHERE closed IS NULL AND NOT false_positive AND NOT merged AND detected <= $__toTime AND service_name IN (${service:singlequote})
ORDER BY severity, detected
LIMIT 200
