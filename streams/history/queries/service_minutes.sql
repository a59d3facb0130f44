{% set wraps = "(operation_name IN (" ~ wrappers ~ "))" %}
-- Grouped by what becomes a key first: a map is then built of a hundred bins instead of every event.
INSERT INTO service_minutes (
    minute, tenant_id, service_name, model_version, events, calls, limited,
    {% for rate in rates %}
    {{ rate }}_trials, {{ rate }},
    {% endfor %}
    guard_ok, guard_not_ok, uncovered, input_tokens, output_tokens,
    latency_bins, outputs_by_guards, served_by_guards, unsafe_by_severity,
    safety_by_harm, security_by_harm, unsafe_by_harm, kafka_topic_id, kafka_partition, version
)
SELECT
    minute, tenant_id, service_name, counted_version, sum(n), sum(calls),
    CAST(sumMapIf([limit], [toUInt64(calls)], limit != '' AND calls > 0), 'Map(String, UInt64)'),
    {% for rate in rates %}
    sum({{ rate }}_trials), sum({{ rate }}),
    {% endfor %}
    sum(ok), sum(not_ok), sum(uncovered), sum(input), sum(output),
    CAST(sumMapIf([bin], [toUInt64(n)], bin >= 0), 'Map(Int32, UInt64)'),
    CAST(sumMapIf([guards], [toUInt64(outputs)], outputs > 0), 'Map(String, UInt64)'),
    CAST(sumMapIf([guards], [toUInt64(reached)], reached > 0), 'Map(String, UInt64)'),
    CAST(sumMapIf([toUInt8(unsafe - 2)], [toUInt64(n)], unsafe >= 2), 'Map(UInt8, UInt64)'),
    {% for harm in ["safety", "security", "unsafe"] %}
    CAST(sumMapIf([{{ harm }}], [toUInt64(n)], {{ harm }} > 0), 'Map(UInt8, UInt64)'),
    {% endfor %}
    {% include "writer.sql" %}
FROM (
    SELECT
        kafka_partition, toStartOfMinute(time) AS minute, tenant_id, service_name, counted_version, guards, limit,
        safety_harm AS safety, security_harm AS security, greatest(safety_harm, security_harm) AS unsafe,
        {% include "bin.sql" %} AS bin, count() AS n, sum(call) AS calls,
        {% for rate in rates %}
        countIf(bitTest(trials, {{ loop.index0 }})) AS {{ rate }}_trials,
        countIf(bitTest(flagged, {{ loop.index0 }})) AS {{ rate }},
        {% endfor %}
        sum(guard_ok) AS ok, sum(guard_not_ok) AS not_ok, countIf(bitTest(trials, {{ output_bit }}) AND guard_ok = 0) AS uncovered,
        countIf(bitTest(trials, {{ output_bit }}) AND call) AS outputs, countIf(bitTest(trials, {{ output_bit }}) AND served) AS reached,
        sum(input) AS input, sum(output) AS output
    FROM (
        SELECT
            kafka_partition, time, tenant_id, service_name, counted_version, trials, flagged, guard_ok, guard_not_ok,
            if({{ wraps }}, NULL, usage_input_tokens) AS input, if({{ wraps }}, NULL, usage_output_tokens) AS output,
            if({{ wraps }} OR limit != '', NULL, duration_ms) AS ms, NOT ({{ wraps }} OR ifNull(superseded, false)) AS call,
            arrayStringConcat(guards_ok, '{{ separator }}') AS guards, safety_harm, security_harm,
            if(outcome = 'rate_limited', if(outcome_source = '', 'unknown', outcome_source), '') AS limit,
            ifNull(reached_user, outcome NOT IN ('blocked', 'filtered', 'rate_limited')) AND NOT {{ wraps }} AS served
        FROM inferences {{ final }} WHERE {% include "minutes.sql" %} AND probe_id = ''
        {% for table in ["agent_steps", "retrievals"] %}
        UNION ALL
        SELECT
            kafka_partition, time, tenant_id, service_name, counted_version, trials, flagged, guard_ok, guard_not_ok,
            NULL, NULL, NULL, 0, '' AS guards, safety_harm, security_harm, '' AS limit, false AS served
        FROM {{ table }} {{ final }} WHERE {% include "minutes.sql" %} AND probe_id = ''
        {% endfor %}
        UNION ALL
        -- A verdict that travels alone says how harmful what it judged was, and is no output.
        SELECT
            kafka_partition, time, tenant_id, service_name, counted_version, trials, flagged,
            toUInt16(status = 'ok'), toUInt16(status != 'ok'), NULL, NULL, NULL, 0, '' AS guards,
            safety_harm, security_harm, '' AS limit, false AS served
        FROM guard_verdicts {{ final }}
        WHERE {% include "minutes.sql" %} AND probe_id = '' AND event_kind = 'guard_verdict'
    )
    GROUP BY kafka_partition, minute, tenant_id, service_name, counted_version, bin, guards, safety_harm, security_harm, limit
)
GROUP BY kafka_partition, minute, tenant_id, service_name, counted_version
