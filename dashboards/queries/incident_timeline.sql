SELECT
    transition_time AS time, incident_id, transition, severity, toString(service_name) AS service, actor_kind, actor_id, mitigation_kind,
    suspected_change_id, reason
FROM incident_transitions FINAL
WHERE transition_time >= $__fromTime AND transition_time <= $__toTime AND transition NOT IN ('retracted', 'noted')
    AND service_name IN (${service:singlequote})
ORDER BY time DESC
LIMIT 500
