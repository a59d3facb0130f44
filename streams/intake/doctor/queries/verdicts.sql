SELECT
    service_name, event_id, event_kind, target_event_id, target_id, trace_id, span_id, guard_name, layer, status, verdict,
    action, mode, native_result_value, findings_category, findings_native_category, findings_native_taxonomy,
    findings_severity, findings_score, findings_threshold
FROM guard_verdicts
WHERE time >= now() - toIntervalSecond({seconds:UInt32}) AND probe_id = ''
ORDER BY time DESC
LIMIT {most:UInt32}
