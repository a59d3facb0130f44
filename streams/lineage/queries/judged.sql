WITH
    arrayMap(one -> toString(one), {events:Array(String)}) AS events,
    (SELECT groupArray(toString(finding_id)) FROM findings FINAL WHERE hasAny(event_ids, events)) AS found
SELECT kind, id, formatDateTime(time, '%FT%TZ', 'UTC') AS at, service, words, of FROM (
    SELECT
        'review' AS kind, event_id AS id, time, toString(service_name) AS service,
        map('label', toString(label), 'by', toString(annotator_kind), 'about', evaluation_name) AS words, [target_event_id] AS of
    FROM review_labels FINAL WHERE has(events, target_event_id)
    UNION ALL
    SELECT
        'finding', toString(finding_id), detected_time, toString(service_name),
        map('severity', toString(severity), 'metric', toString(metric), 'why', evidence), arrayIntersect(event_ids, events)
    FROM findings FINAL WHERE has(found, finding_id)
    UNION ALL
    SELECT
        'incident', incident_id, min(transition_time), toString(any(service_name)),
        map('severity', toString(argMax(severity, transition_time)), 'state', toString(argMax(transition, transition_time)),
            'suspected change', argMax(suspected_change_id, (suspected_change_id != '', transition_time))),
        groupUniqArrayIf(toString(finding_id), has(found, finding_id))
    FROM incident_transitions FINAL
    WHERE incident_id IN (SELECT incident_id FROM incident_transitions FINAL WHERE has(found, finding_id))
    GROUP BY incident_id
    UNION ALL
    SELECT
        'change', change_id, time, toString(service_name),
        map('subject', concat(subject_type, ' ', subject_name), 'action', toString(action), 'to', to_version, 'why', reason, 'by', initiator_id,
            'incident', incident_id),
        arrayFilter(one -> one != '', [to_version, incident_id])
    FROM changes FINAL
    WHERE has({services:Array(String)}, toString(service_name)) AND (has({versions:Array(String)}, to_version) OR incident_id IN (
        SELECT incident_id FROM incident_transitions FINAL WHERE has(found, finding_id)
    ))
)
ORDER BY indexOf(['review', 'finding', 'incident', 'change'], kind), time, id
