-- Traces that an id names: of an event, an answer, a document, a finding, an incident; an event without a trace is its own.
WITH
    (SELECT groupArray(event) FROM (
        SELECT arrayJoin(event_ids) AS event FROM findings FINAL
        WHERE finding_id = {id:String} OR finding_id IN (
            SELECT finding_id FROM incident_transitions FINAL WHERE incident_id = {id:String} AND finding_id != ''
        )
    )) AS evidence
SELECT key, min(time) AS began, count() AS events FROM (
    SELECT if(trace_id = '', event_id, trace_id) AS key, time FROM inferences FINAL
    WHERE trace_id = {id:String} OR event_id = {id:String} OR response_id = {id:String} OR has(evidence, event_id)
    UNION ALL
    SELECT if(trace_id = '', event_id, trace_id) AS key, time FROM agent_steps FINAL
    WHERE trace_id = {id:String} OR event_id = {id:String} OR has(evidence, event_id) OR has(memory_ids, {id:String})
    UNION ALL
    SELECT if(trace_id = '', event_id, trace_id) AS key, time FROM retrievals FINAL
    WHERE trace_id = {id:String} OR event_id = {id:String} OR has(evidence, event_id) OR has(documents_id, {id:String})
        OR has(documents_content_hash, {id:String}) OR has(documents_source_uri, {id:String})
)
GROUP BY key
ORDER BY began DESC, key
LIMIT {most:UInt32}
