-- What is to keep each incident from coming again, and whether it was seen to work since: a probe that was detected when it
-- was sent last, a rule that asked for a control. An incident that is over and has nothing of the kind is a row too.
CREATE OR REPLACE VIEW incident_corrections AS
SELECT
    known.incident_id AS incident_id, known.service_name AS service_name, known.family AS family, known.state AS state,
    fixes.about AS about, if(fixes.about = '', NULL, toNullable(fixes.corrected_time)) AS corrected_time,
    if(fixes.worked > 0, toNullable(fixes.worked_time), NULL) AS verified_time,
    multiIf(fixes.about = '', 'none', fixes.tried = 0, 'not verified', fixes.holds > 0, 'verified', 'missed') AS correction
FROM (SELECT * FROM incidents WHERE NOT false_positive AND state != 'merged') AS known
LEFT JOIN (
    SELECT
        named.incident_id AS incident_id, named.about AS about, any(named.named_time) AS corrected_time,
        countIf(proofs.about != '' AND proofs.at >= named.named_time) AS tried,
        countIf(proofs.about != '' AND proofs.at >= named.named_time AND proofs.held > 0) AS worked,
        minIf(proofs.at, proofs.at >= named.named_time AND proofs.held > 0) AS worked_time,
        argMaxIf(proofs.held, proofs.at, proofs.at >= named.named_time) AS holds
    FROM (
        SELECT incident_id, about, min(transition_time) AS named_time, any(services) AS touched
        FROM incident_transitions FINAL WHERE transition = 'corrected' GROUP BY incident_id, about
    ) AS named
    ARRAY JOIN named.touched AS service
    LEFT JOIN (
        SELECT
            toString(service_name) AS service_name, concat('probe:', name) AS about, toDateTime64(minute, 9, 'UTC') AS at,
            detected AS held
        FROM probes_now
        ARRAY JOIN [family, extract(probe_id, '([^-]+-[0-9]+)$')] AS name
        WHERE probes_now.state != 'unreachable'
        UNION ALL
        SELECT toString(service_name), concat('rule:', rule), time, 1 FROM controls FINAL WHERE rule != ''
    ) AS proofs ON proofs.service_name = toString(service) AND proofs.about = named.about
    GROUP BY incident_id, about
) AS fixes ON fixes.incident_id = known.incident_id
WHERE fixes.about != '' OR known.state IN ('closed', 'recovered');
