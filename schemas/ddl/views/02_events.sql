-- Rows of events with what the detectors ask of them; an event may be there twice until it is merged.
CREATE OR REPLACE VIEW rated_events AS
{% for table, reached, agent, only in [
    ("inferences", "reached_user", "agent_name", ""), ("agent_steps", "NULL", "agent_name", ""), ("retrievals", "NULL", "''", ""),
    ("guard_verdicts", "NULL", "''", " WHERE event_kind = 'guard_verdict'"),
] %}
SELECT
    time, service_name, tenant_id, counted_version AS model_version, deployment_variant, user_pseudo_id, event_id, trace_id,
    {{ session() }} AS session, trials, flagged, safety_harm,
    security_harm, {{ reached }} AS reached_user, probe_id, toString({{ agent }}) AS agent_name
FROM {{ table }}{{ only }}{{ "\nUNION ALL" if not loop.last else ";" }}
{% endfor %}

-- How good the sources of each service are, by source: what its searches gave, how well it fitted, how far the documents are
-- trusted and how old they are, and in how many searches a guard found an injection.
CREATE OR REPLACE VIEW source_quality AS
SELECT
    service_name, data_source_id, count() AS searches, countIf(ifNull(returned_count, length(documents_id)) = 0) / searches AS empty_share,
    avg(score_max) AS best_score, sum(length(documents_id)) AS documents, uniqArray(documents_id) AS distinct_documents,
    sum(arrayCount(trust -> NOT has({{ vetted + unsaid }}, toString(trust)), documents_trust)) / nullIf(documents, 0) AS unvetted_share,
    1 - sum(arrayCount(trust -> NOT has({{ unsaid }}, toString(trust)), documents_trust)) / nullIf(documents, 0) AS unsaid_share,
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
    {{ session() }} AS session, user_pseudo_id, trace_id,
    event_id, probe_id != '' AS is_probe
FROM {{ table }} FINAL{{ "\nUNION ALL" if not loop.last else ";" }}
{% endfor %}

-- What agents do, by the hour: their steps, and of each rate those that it counts and those that it flags.
CREATE OR REPLACE VIEW agent_hours AS
SELECT
    toStartOfHour(toDateTime(counted_time, 'UTC')) AS hour, toString(service_name) AS service_name,
    toString(agent_name) AS agent_name, count() AS steps, countIf(tool_name != '') AS tool_steps,
{% for rate in rates %}
    countIf(bitTest(trials, {{ loop.index0 }})) AS {{ rate }}_trials,
    countIf(bitTest(bitAnd(trials, flagged), {{ loop.index0 }})) AS {{ rate }}{{ "," if not loop.last }}
{% endfor %}
FROM agent_steps FINAL
GROUP BY hour, service_name, agent_name;

-- Which agent leads to which: the agent of a step's parent span, else the one before it in its trace, in another agent's step.
CREATE OR REPLACE VIEW agent_edges AS
SELECT
    hour, from_service, from_agent, service_name, agent_name, count() AS steps, countIf(step_kind = 'handoff') AS handoffs,
    uniqExact(trace_id) AS traces, countIf(hit) AS flagged, countIf(hit AND from_hit) AS flagged_after_flagged
FROM (
    SELECT
        toStartOfHour(toDateTime(step.time, 'UTC')) AS hour, toString(step.service_name) AS service_name,
        toString(step.agent_name) AS agent_name, step.trace_id AS trace_id, step.step_kind AS step_kind,
        bitAnd(step.flagged, step.trials) > 0 AS hit, toString(above.service_name) AS above_service,
        toString(above.agent_name) AS above_agent, bitAnd(above.flagged, above.trials) > 0 AS above_hit,
        lagInFrame(toString(step.service_name)) OVER of_trace AS service_before,
        lagInFrame(toString(step.agent_name)) OVER of_trace AS agent_before,
        lagInFrame(bitAnd(step.flagged, step.trials) > 0) OVER of_trace AS hit_before,
        if(above_agent != '', above_service, service_before) AS from_service,
        if(above_agent != '', above_agent, agent_before) AS from_agent,
        if(above_agent != '', above_hit, hit_before) AS from_hit
    FROM (SELECT * FROM agent_steps FINAL WHERE trace_id != '' AND agent_name != '') AS step
    LEFT ANY JOIN (
        SELECT trace_id, span_id, service_name, agent_name, trials, flagged FROM agent_steps FINAL
        WHERE trace_id != '' AND span_id != '' AND agent_name != ''
    ) AS above ON above.trace_id = step.trace_id AND above.span_id = step.parent_span_id
    WINDOW of_trace AS (PARTITION BY step.trace_id ORDER BY step.time, step.event_id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
)
WHERE from_agent != '' AND (from_agent, from_service) != (agent_name, service_name)
GROUP BY hour, from_service, from_agent, service_name, agent_name;
