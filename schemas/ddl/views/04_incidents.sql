-- Incidents with the first time of each state since they were last reopened; detection is always the first one.
CREATE OR REPLACE VIEW incident_clocks AS
WITH (transition IN ('detected', 'triggered')) AS detecting, (transition IN ('closed', 'resolved')) AS closing,
    last_reopened IS NULL OR transition_time >= last_reopened AS current
SELECT
    incident_id, argMin(service_name, transition_time) AS service_name,
    argMaxIf(family, transition_time, family != '') AS family, argMax(severity, transition_time) AS severity,
    minOrNull(onset_time) AS onset, minOrNullIf(transition_time, detecting) AS detected,
    minOrNullIf(transition_time, transition = 'acknowledged' AND actor_kind = 'human') AS acknowledged,
    minOrNullIf(transition_time, transition = 'mitigated') AS mitigated,
    minOrNullIf(transition_time, transition = 'recovered' AND current) AS recovered,
    minOrNullIf(transition_time, closing AND current) AS closed,
    ifNull(max(false_positive), false) AS false_positive,
    countIf(transition = 'merged' AND into_incident_id != '') > 0 AS merged,
    argMaxIf(reached_user, transition_time, reached_user IS NOT NULL) AS reached_user
FROM (
    SELECT *, max(if(transition = 'reopened', transition_time, NULL)) OVER (PARTITION BY incident_id) AS last_reopened
    FROM incident_transitions FINAL
)
GROUP BY incident_id
HAVING detected IS NOT NULL;

-- Everything that takes a time people answer for: from when, for how many seconds, or still waiting.
CREATE OR REPLACE VIEW clock_spans AS
SELECT
    clock.1 AS name, service_name, assumeNotNull(detected) AS began, clock.2 / 1000 AS seconds, clock.3 AS waiting
FROM (
    SELECT *, closed IS NULL AS open FROM incident_clocks WHERE NOT false_positive AND NOT merged
)
ARRAY JOIN [
    ('time_to_detect', dateDiff('millisecond', onset, detected), false),
    ('time_to_acknowledge', dateDiff('millisecond', detected, acknowledged), open AND acknowledged IS NULL),
    ('time_to_mitigate', dateDiff('millisecond', detected, mitigated), open AND mitigated IS NULL),
    ('time_to_recover', dateDiff('millisecond', detected, recovered), open AND recovered IS NULL),
    ('time_to_close', dateDiff('millisecond', detected, closed), open)
] AS clock
UNION ALL
SELECT
    'review_turnaround', items.service_name, items.began,
    dateDiff('millisecond', items.began, items.said_at) / 1000, items.said_at IS NULL
FROM (
    SELECT
        if(item.service_name != '', item.service_name, label.service_name) AS service_name,
        ifNull(label.queued_at, item.time) AS began, label.said_at AS said_at
    FROM (
        SELECT target_event_id, any(service_name) AS service_name, min(time) AS time
        FROM review_items FINAL GROUP BY target_event_id
    ) AS item
    FULL JOIN (
        SELECT target_event_id, any(service_name) AS service_name, min(queued_at) AS queued_at,
            toNullable(min(said_at)) AS said_at
        FROM labels_known(known_at='2106-01-01 00:00:00')
        WHERE annotator_kind = 'human' GROUP BY target_event_id
    ) AS label ON label.target_event_id = item.target_event_id
    WHERE began > '2020-01-01'
) AS items;
