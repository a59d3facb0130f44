SELECT service_name, argMax(kind, detected_time) AS kind, argMax(metric, detected_time) AS metric, count() AS tickets
FROM findings FINAL
WHERE severity = 'ticket' AND kind != 'recovery'
    AND detected_time > {until:DateTime('UTC')} - INTERVAL 24 HOUR AND detected_time <= {until:DateTime('UTC')}
    AND finding_id NOT IN (SELECT opened_finding_id FROM findings FINAL WHERE kind = 'recovery')
GROUP BY service_name
