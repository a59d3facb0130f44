SELECT found.service_name AS service_name, argMax(found.kind, found.detected_time) AS kind,
    argMax(found.metric, found.detected_time) AS metric, count() AS tickets
FROM (SELECT * FROM findings FINAL WHERE severity = 'ticket' AND kind != 'recovery') AS found
WHERE found.detected_time > {until:DateTime('UTC')} - INTERVAL 24 HOUR
    AND found.detected_time <= {until:DateTime('UTC')}
    AND found.finding_id NOT IN (SELECT opened_finding_id FROM findings FINAL WHERE kind = 'recovery')
GROUP BY found.service_name
