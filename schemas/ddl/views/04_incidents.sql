-- Who is affected by each incident: as counted from the events when its evidence was last gathered, else as its pages say.
CREATE OR REPLACE VIEW incident_affected AS
SELECT
    said.incident_id AS incident_id, coalesce(counted.users, said.users) AS users_affected,
    coalesce(counted.sessions, said.sessions) AS sessions_affected,
    coalesce(counted.tenants, said.tenants) AS tenants_affected,
    coalesce(counted.outputs, said.outputs) AS outputs_affected,
    if(said.reached = true, true, coalesce(counted.reached, said.reached)) AS reached_user,
    counted.ended AS ended, counted.ended_lower AS ended_lower, counted.ended_upper AS ended_upper
FROM (
    SELECT
        incident_id, max(users_affected) AS users, max(sessions_affected) AS sessions, max(tenants_affected) AS tenants,
        max(outputs_affected) AS outputs, max(reached_user) AS reached
    FROM incident_transitions FINAL GROUP BY incident_id
) AS said
LEFT JOIN (
    SELECT
        incident_id, argMax(users_affected, time) AS users, argMax(sessions_affected, time) AS sessions,
        argMax(tenants_affected, time) AS tenants, argMax(outputs_affected, time) AS outputs,
        max(reached_user) AS reached, argMax(ended_time, time) AS ended, argMax(ended_lower_time, time) AS ended_lower,
        argMax(ended_upper_time, time) AS ended_upper
    FROM incident_evidence FINAL GROUP BY incident_id
) AS counted ON counted.incident_id = said.incident_id;

-- Incidents with the first time of each state since they were last reopened; detection is always the first one.
CREATE OR REPLACE VIEW incident_clocks AS
SELECT
    clocks.*, affected.reached_user AS reached_user, affected.users_affected AS users_affected,
    affected.sessions_affected AS sessions_affected, affected.tenants_affected AS tenants_affected,
    affected.outputs_affected AS outputs_affected, if(clocks.recovered IS NULL, NULL, affected.ended) AS ended,
    if(clocks.recovered IS NULL, NULL, affected.ended_lower) AS ended_lower,
    if(clocks.recovered IS NULL, NULL, affected.ended_upper) AS ended_upper
FROM (
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
    countIf(transition = 'merged' AND into_incident_id != '') > 0 AS merged
FROM (
    SELECT *, max(if(transition = 'reopened', transition_time, NULL)) OVER (PARTITION BY incident_id) AS last_reopened
    FROM incident_transitions FINAL
)
GROUP BY incident_id
HAVING detected IS NOT NULL
) AS clocks
LEFT JOIN incident_affected AS affected ON affected.incident_id = clocks.incident_id;

-- Everything that takes a time people answer for: from when, for how many seconds, or still waiting.
CREATE OR REPLACE VIEW clock_spans AS
SELECT
    clock.1 AS name, {{ axis_of("family", axis_by_family) }} AS axis, service_name, assumeNotNull(detected) AS began, clock.2 / 1000 AS seconds, clock.3 AS waiting
FROM (
    SELECT *, closed IS NULL AS open FROM incident_clocks WHERE NOT false_positive AND NOT merged
)
ARRAY JOIN [
    ('time_to_detect', dateDiff('millisecond', onset, detected), false),
    ('time_to_acknowledge', dateDiff('millisecond', detected, acknowledged), open AND acknowledged IS NULL),
    ('time_to_mitigate', dateDiff('millisecond', detected, mitigated), open AND mitigated IS NULL),
    ('time_to_end', dateDiff('millisecond', detected, if(ended IS NULL, NULL, greatest(ended, detected))), false),
    ('time_to_recover', dateDiff('millisecond', detected, recovered), open AND recovered IS NULL),
    ('time_to_close', dateDiff('millisecond', detected, closed), open)
] AS clock
UNION ALL
SELECT
    'review_turnaround', '', items.service_name, items.began,
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

-- What a person asks of an incident: whose, how bad, when each thing happened, how long it took, who did what, who was told.
CREATE OR REPLACE VIEW incidents AS
SELECT
    clocks.incident_id AS incident_id, clocks.service_name AS service_name, facts.services AS services,
    clocks.family AS family, {{ axis_of("clocks.family", axis_by_family) }} AS axis, clocks.severity AS severity,
    multiIf(clocks.merged, 'merged', clocks.closed IS NOT NULL, 'closed', clocks.recovered IS NOT NULL, 'recovered',
        clocks.mitigated IS NOT NULL, 'mitigated', clocks.acknowledged IS NOT NULL, 'acknowledged', 'open') AS state,
    clocks.onset AS onset_time, assumeNotNull(clocks.detected) AS opened_time,
    clocks.acknowledged AS acknowledged_time, clocks.mitigated AS mitigated_time,
    clocks.recovered AS recovered_time, clocks.closed AS closed_time, clocks.ended AS ended_time,
    clocks.ended_lower AS ended_lower_time, clocks.ended_upper AS ended_upper_time,
    {% for name, from, to in [
        ("detect", "onset", "detected"), ("acknowledge", "detected", "acknowledged"),
        ("mitigate", "detected", "mitigated"), ("recover", "detected", "recovered"), ("close", "detected", "closed"),
    ] %}
    dateDiff('millisecond', clocks.{{ from }}, clocks.{{ to }}) / 1000 AS seconds_to_{{ name }},
    {% endfor %}
    clocks.false_positive AS false_positive, clocks.reached_user AS reached_user,
    clocks.users_affected AS users_affected, clocks.sessions_affected AS sessions_affected,
    clocks.tenants_affected AS tenants_affected, clocks.outputs_affected AS outputs_affected, facts.findings AS findings, facts.actors AS actors,
    facts.last_reason AS last_reason, facts.suspected_change_id AS suspected_change_id,
    facts.merged_into AS merged_into, facts.ticket_url AS ticket_url,
    notices.delivered AS notices_delivered, notices.not_delivered AS notices_not_delivered, notices.receivers AS receivers
FROM incident_clocks AS clocks
LEFT JOIN (
    SELECT
        incident_id, argMaxIf(services, transition_time, notEmpty(services)) AS services,
        arraySort(groupUniqArrayIf(finding_id, finding_id != '')) AS findings,
        arraySort(groupUniqArrayIf(actor_id, actor_kind = 'human' AND actor_id != '')) AS actors,
        argMaxIf(reason, transition_time, reason != '') AS last_reason,
        argMaxIf(suspected_change_id, transition_time, suspected_change_id != '') AS suspected_change_id,
        argMaxIf(into_incident_id, transition_time, into_incident_id != '') AS merged_into,
        argMaxIf(ticket_url, transition_time, ticket_url != '') AS ticket_url
    FROM incident_transitions FINAL GROUP BY incident_id
) AS facts ON facts.incident_id = clocks.incident_id
LEFT JOIN (
    SELECT
        incident_id, countIf(status = 'delivered') AS delivered, countIf(status = 'given_up') AS not_delivered,
        arraySort(groupUniqArrayIf(toString(receiver), status = 'delivered')) AS receivers
    FROM deliveries FINAL GROUP BY incident_id
) AS notices ON notices.incident_id = clocks.incident_id;
