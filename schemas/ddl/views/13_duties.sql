-- Up to a moment: what must be reported of each incident, by when, and whether it was; false alarms and merged ones not.
CREATE OR REPLACE VIEW reporting_duties AS
SELECT
    known.incident_id AS incident_id, known.service_name AS service_name, known.family AS family, known.severity AS severity,
    known.opened_time AS opened_time, rules.duty AS duty, rules.authority AS authority, rules.basis AS basis,
    known.opened_time + toIntervalSecond(rules.hours * 3600) AS due_time,
    if(said.answer = '', NULL, toNullable(said.said_time)) AS answered_time, said.said_by AS actor_id,
    multiIf(said.answer = 'waived', 'does not apply', said.answer = 'reported' AND said.said_time > due_time,
        'reported late', said.answer = 'reported', 'reported',
        due_time < {until:DateTime('UTC')}, 'overdue', 'due') AS state
FROM (
    SELECT * FROM incidents
    WHERE NOT false_positive AND state != 'merged' AND opened_time <= {until:DateTime('UTC')}
) AS known
CROSS JOIN (
    SELECT * FROM reporting_rules
    WHERE duty != '' AND published_at = (SELECT max(published_at) FROM reporting_rules)
) AS rules
LEFT JOIN (
    SELECT
        incident_id, about, argMax(transition, transition_time) AS answer, max(transition_time) AS said_time,
        argMax(actor_id, transition_time) AS said_by
    FROM incident_transitions FINAL
    WHERE transition IN ('reported', 'waived') AND transition_time <= {until:DateTime('UTC')}
    GROUP BY incident_id, about
) AS said ON said.incident_id = known.incident_id AND said.about = rules.duty
WHERE (empty(rules.families) OR has(rules.families, known.family))
    AND (empty(rules.severities) OR has(rules.severities, known.severity))
    AND (empty(rules.services) OR hasAny(rules.services, arrayMap(each -> toString(each), known.services)));
