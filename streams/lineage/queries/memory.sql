-- Traces that memory items tie to some others: those that wrote before what these read, or read later what these wrote.
SELECT theirs.key AS key, min(theirs.time) AS began
FROM (
    SELECT
        if(trace_id = '', event_id, trace_id) AS key, time, if(memory_store = '', toString(service_name), toString(memory_store)) AS store,
        arrayJoin(memory_ids) AS item
    FROM agent_steps FINAL
    WHERE memory_action = {mine:String} AND has({keys:Array(String)}, if(trace_id = '', event_id, trace_id))
) AS mine
INNER JOIN (
    SELECT
        if(trace_id = '', event_id, trace_id) AS key, time, if(memory_store = '', toString(service_name), toString(memory_store)) AS store,
        arrayJoin(memory_ids) AS item
    FROM agent_steps FINAL
    WHERE memory_action = if({mine:String} = 'write', 'read', 'write')
) AS theirs USING (store, item)
WHERE NOT has({keys:Array(String)}, theirs.key) AND if({mine:String} = 'write', theirs.time >= mine.time, theirs.time <= mine.time)
GROUP BY key
ORDER BY began DESC, key
LIMIT {most:UInt32}
