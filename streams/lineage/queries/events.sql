SELECT kind, id, formatDateTime(time, '%FT%TZ', 'UTC') AS at, service, key, words, links, items FROM (
    SELECT
        'retrieval' AS kind, event_id AS id, time, toString(service_name) AS service, if(trace_id = '', event_id, trace_id) AS key,
        map('source', data_source_id, 'index', index_version, 'returned', toString(ifNull(returned_count, length(documents_id))),
            'best score', ifNull(toString(score_max), '')) AS words,
        arrayMap((document, version, hash, trust, uri, ingested) -> (document, version, hash, toString(trust), uri,
            if(ingested IS NULL, '', formatDateTime(assumeNotNull(ingested), '%FT%TZ', 'UTC'))),
            documents_id, documents_version, documents_content_hash, documents_trust, documents_source_uri,
            documents_ingested_at) AS links, CAST([] AS Array(String)) AS items
    FROM retrievals FINAL
    UNION ALL
    SELECT
        'answer', event_id, time, toString(service_name), if(trace_id = '', event_id, trace_id),
        map('model', toString(counted_version), 'prompt', prompt_name, 'prompt version', prompt_version, 'outcome', toString(outcome),
            'output', output_hash), [], []
    FROM inferences FINAL
    UNION ALL
    SELECT
        'step', event_id, time, toString(service_name), if(trace_id = '', event_id, trace_id),
        map('step', toString(step_kind), 'agent', toString(agent_name), 'tool', toString(tool_name), 'authorization', toString(authorization),
            'host', egress_host, 'taint', arrayStringConcat(taint_sources, ', '), 'memory', toString(memory_action),
            'against it', if(bitTest(bitAnd(trials, flagged), {poisoned:UInt8}), 'poisoned memory', '')), [],
        arrayMap(item -> concat(if(memory_store = '', toString(service_name), toString(memory_store)), '/', item), memory_ids)
    FROM agent_steps FINAL
    UNION ALL
    SELECT
        'verdict', concat(event_id, '/', toString(kafka_index)), time, toString(service_name), if(trace_id = '', event_id, trace_id),
        map('guard', toString(guard_name), 'layer', toString(layer), 'verdict', if(status = 'ok', toString(verdict), toString(status)),
            'action', toString(action), 'policy', concat(policy_id, ' ', policy_version),
            'found', arrayStringConcat(findings_category, ', '), 'of', if(event_kind = 'guard_verdict', target_event_id, event_id)), [], []
    FROM guard_verdicts FINAL
)
WHERE has({keys:Array(String)}, key)
ORDER BY key, time, indexOf(['retrieval', 'answer', 'step', 'verdict'], kind), id
