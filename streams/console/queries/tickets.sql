SELECT service_name, argMax(kind, detected_time) AS kind, argMax(metric, detected_time) AS metric, count() AS tickets
FROM tickets
WHERE detected_time > {until:DateTime('UTC')} - INTERVAL 24 HOUR AND detected_time <= {until:DateTime('UTC')}
    AND NOT over AND judgement IN ('', 'real') AND NOT muted_until > {until:DateTime('UTC')}
GROUP BY service_name
