SELECT arrayJoin(evidence_event_ids) FROM incident_transitions WHERE incident_id IN {holds:Array(String)}
UNION ALL SELECT arrayJoin(event_ids) FROM findings WHERE finding_id IN ({% include "held_findings.sql" %})
UNION ALL SELECT arrayJoin(JSONExtract(bundle, 'event_ids', 'Array(String)')) FROM incident_evidence
WHERE incident_id IN {holds:Array(String)}
