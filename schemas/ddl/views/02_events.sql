-- Rows of events with what the detectors ask of them; an event may be there twice until it is merged.
CREATE OR REPLACE VIEW rated_events AS
{% for table, reached, only in [
    ("inferences", "reached_user", ""), ("agent_steps", "NULL", ""), ("retrievals", "NULL", ""),
    ("guard_verdicts", "NULL", " WHERE event_kind = 'guard_verdict'"),
] %}
SELECT
    time, service_name, tenant_id, counted_version AS model_version, deployment_variant, user_pseudo_id, event_id, trace_id,
    coalesce(nullIf(session_id, ''), nullIf(conversation_id, ''), trace_id) AS session, trials, flagged, safety_harm,
    security_harm, {{ reached }} AS reached_user, probe_id
FROM {{ table }}{{ only }}{{ "\nUNION ALL" if not loop.last else ";" }}
{% endfor %}

-- How good the sources of each service are, by source: what its searches gave, how well it fitted, how far the documents are
-- trusted and how old they are, and in how many searches a guard found an injection.
CREATE OR REPLACE VIEW source_quality AS
SELECT
    service_name, data_source_id, count() AS searches, countIf(ifNull(returned_count, length(documents_id)) = 0) / searches AS empty_share,
    avg(score_max) AS best_score, sum(length(documents_id)) AS documents, uniqArray(documents_id) AS distinct_documents,
    1 - sum(length(arrayFilter(trust -> has({{ vetted }}, toString(trust)), documents_trust))) / nullIf(documents, 0) AS unvetted_share,
    sum(length(arrayFilter(taken_in -> taken_in < time - INTERVAL 180 DAY, documents_ingested_at))) / nullIf(documents, 0) AS stale_share,
    countIf(bitTest(flagged, {{ injection_bit }})) AS injections, groupUniqArray(5)(index_version) AS index_versions
FROM retrievals FINAL
WHERE probe_id = '' AND {{ within("time") }}
GROUP BY service_name, data_source_id;

-- Every event in one place: what each was, how it ended, which rates count it and which found something in it.
CREATE OR REPLACE VIEW events AS
{% for kind, table, name, result, duration in [
    ("inference", "inferences", "request_model", "if(outcome != '', outcome, finish_reason_norm)", "duration_ms"),
    ("agent_step", "agent_steps", "if(tool_name != '', tool_name, agent_name)", "status", "duration_ms"),
    ("retrieval", "retrievals", "data_source_id", "''", "duration_ms"),
    ("guard_verdict", "guard_verdicts", "guard_name", "if(status = 'ok', verdict, status)", "latency_ms"),
] %}
SELECT
    time, '{{ kind }}' AS kind, service_name, tenant_id, counted_version AS model_version, deployment_variant,
    toString({{ name }}) AS name, toString({{ result }}) AS result, {{ duration }} AS duration_ms,
    {% if kind == "guard_verdict" %}
    if(event_kind = 'guard_verdict', {{ rate_names("trials") }}, []) AS counted_in,
    if(event_kind = 'guard_verdict', {{ rate_names("flagged") }}, []) AS flagged_in,
    {% else %}
    {{ rate_names("trials") }} AS counted_in, {{ rate_names("bitAnd(flagged, trials)") }} AS flagged_in,
    {% endif %}
    coalesce(nullIf(session_id, ''), nullIf(conversation_id, ''), trace_id) AS session, user_pseudo_id, trace_id,
    event_id, probe_id != '' AS is_probe
FROM {{ table }} FINAL{{ "\nUNION ALL" if not loop.last else ";" }}
{% endfor %}
