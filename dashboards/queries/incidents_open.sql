WITH
    toDateTime64($__toTime, 9, 'UTC') AS at,
    if(clocks.acknowledged <= at, clocks.acknowledged, NULL) AS acknowledged_by_then,
    if(clocks.mitigated <= at, clocks.mitigated, NULL) AS mitigated_by_then,
    if(clocks.recovered <= at, clocks.recovered, NULL) AS recovered_by_then
SELECT
    incident_id, severity, toString(service_name) AS service, family,
    multiIf(recovered_by_then IS NOT NULL, 'recovered', mitigated_by_then IS NOT NULL, 'mitigated',
        acknowledged_by_then IS NOT NULL, 'acknowledged', 'detected') AS state,
    detected, dateDiff('second', ifNull(onset, detected), at) AS since_onset,
    dateDiff('second', detected, at) AS since_detected,
    if(acknowledged_by_then IS NULL, since_detected, NULL) AS waiting_for_acknowledgement,
    if(mitigated_by_then IS NULL AND recovered_by_then IS NULL, since_detected, NULL) AS waiting_for_mitigation,
    if(recovered_by_then IS NULL, since_detected, NULL) AS waiting_for_recovery, reached_user
FROM incident_clocks AS clocks
WHERE (closed IS NULL OR closed > at) AND NOT false_positive AND NOT merged AND detected <= at
    AND service_name IN (${service:singlequote})
ORDER BY severity, detected
LIMIT 200
