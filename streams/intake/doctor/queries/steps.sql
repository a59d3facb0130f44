SELECT
    service_name, event_id, toUnixTimestamp64Nano(time) AS time_unix_nano, toUnixTimestamp64Nano(counted_time) AS counted,
    step_kind, tool_name, status, authorization, session_id, conversation_id, trace_id, span_id, duration_ms
FROM agent_steps
WHERE time >= now() - toIntervalSecond({seconds:UInt32}) AND probe_id = ''
ORDER BY time DESC
LIMIT {most:UInt32}
