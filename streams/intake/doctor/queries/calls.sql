SELECT
    service_name, event_id, toUnixTimestamp64Nano(time) AS time_unix_nano, toUnixTimestamp64Nano(counted_time) AS counted,
    operation_name, provider_name, request_model, response_model, model_version, outcome, outcome_source, error_type,
    finish_reason_norm, session_id, conversation_id, trace_id, span_id, user_pseudo_id, ingest_dialect, duration_ms,
    time_to_first_chunk_ms, usage_input_tokens, usage_output_tokens, usage_cache_read_input_tokens,
    usage_cache_write_input_tokens, usage_reasoning_output_tokens, probe_id
FROM inferences
WHERE time >= now() - toIntervalSecond({seconds:UInt32}) AND probe_id = ''
ORDER BY time DESC
LIMIT {most:UInt32}
