{# An incident goes as a whole, when its last transition is old. #}
SELECT incident_id FROM incident_transitions
GROUP BY incident_id HAVING max(time) >= {before:DateTime('UTC')} OR incident_id IN {holds:Array(String)}
