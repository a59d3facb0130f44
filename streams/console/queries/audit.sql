SELECT toUnixTimestamp64Nano(time) AS at, * EXCEPT (time) FROM (
    SELECT time, service_name, actor_id, toString(actor_kind) AS kind, toString(action) AS action, incident_id AS about,
        concat(reason, if(assignee_id != '', concat(' to ', assignee_id), '')) AS why, source
    FROM incident_actions FINAL
    UNION ALL
    SELECT time, service_name, actor_id, toString(actor_kind), toString(control), incident_id, reason, source FROM controls FINAL
    UNION ALL
    SELECT time, service_name, actor_id, toString(actor_kind), concat('ticket ', toString(decision)),
        if(finding_id != '', finding_id, toString(metric)), reason, source
    FROM triage FINAL
    UNION ALL
    SELECT time, service_name, initiator_id, ifNull(toString(trigger), ''), concat(toString(subject_type), ' ', toString(action)),
        change_id, reason, source
    FROM changes FINAL WHERE initiator_id != ''
)
WHERE time > {since:DateTime('UTC')} AND ({service:String} = '' OR service_name = {service:String})
ORDER BY time DESC LIMIT {most:UInt32}
