-- What people made of tickets. A recovery of another finding says that what a ticket told of is over.
CREATE OR REPLACE VIEW mutes AS
SELECT
    service_name, metric, argMax(decision, time) AS decision, assumeNotNull(argMax(expires_at, time)) AS ends,
    argMax(actor_id, time) AS actor, argMax(reason, time) AS why
FROM triage AS words FINAL
WHERE words.decision IN ('mute', 'unmute')
GROUP BY service_name, metric
HAVING decision = 'mute';

CREATE OR REPLACE VIEW tickets AS
SELECT
    found.finding_id AS finding_id, found.kind AS kind, found.service_name AS service_name, found.metric AS metric,
    found.detected_time AS detected_time, found.evidence AS evidence, found.evidence_sql AS evidence_sql,
    found.finding_id IN (SELECT opened_finding_id FROM findings FINAL WHERE kind = 'recovery') AS over,
    said.word AS judgement, said.actor AS judged_by, said.why AS judged_why, quiet.ends AS muted_until
FROM (SELECT * FROM findings FINAL WHERE severity = 'ticket' AND kind != 'recovery') AS found
LEFT JOIN (
    SELECT service_name, finding_id, argMax(decision, time) AS word, argMax(actor_id, time) AS actor,
        argMax(reason, time) AS why
    FROM triage FINAL WHERE finding_id != '' GROUP BY service_name, finding_id
) AS said ON said.finding_id = found.finding_id AND said.service_name = found.service_name
LEFT JOIN mutes AS quiet ON quiet.service_name = found.service_name AND quiet.metric = found.metric;
