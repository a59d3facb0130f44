SELECT
    found.severity AS severity, count() AS raised,
    countIf(coalesce(nullIf(said.verdict, ''), judged.verdict) = 'false') AS false_ones,
    countIf(coalesce(nullIf(said.verdict, ''), judged.verdict) = 'real') AS real_ones,
    countIf(found.finding_id IN (SELECT opened_finding_id FROM findings FINAL)) AS over,
    greatest(dateDiff('second', min(detected_time), max(detected_time)) / 86400, 1) AS days
FROM (SELECT * FROM findings FINAL WHERE severity IN ('page', 'ticket')) AS found
LEFT JOIN (
    SELECT held.finding_id AS finding_id, ends.verdict AS verdict
    FROM (
        SELECT finding_id, incident_id FROM incident_transitions FINAL
        WHERE transition IN ('detected', 'joined', 'reopened') AND finding_id != ''
    ) AS held
    INNER JOIN (
        SELECT incident_id, if(argMax(false_positive, transition_time) = true, 'false', 'real') AS verdict
        FROM incident_transitions FINAL WHERE transition IN ('closed', 'reopened')
        GROUP BY incident_id HAVING argMax(transition, transition_time) = 'closed'
    ) AS ends USING incident_id
) AS judged ON judged.finding_id = found.finding_id
LEFT JOIN (
    SELECT finding_id, if(judgement = 'known', 'real', judgement) AS verdict FROM tickets WHERE judgement != ''
) AS said ON said.finding_id = found.finding_id
GROUP BY severity ORDER BY severity
