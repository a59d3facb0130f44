-- Shares, each with the interval of Wilson (1927), by what they are counted from: the rollups, the telemetry, and what
-- is rarer than events. `part` names a stage where there is one.

{% macro harm_shares(by_harm, axis="") -%}
    {% set tail = ", '" ~ axis ~ "')" if axis else ")" %}
    ('unsafe_served', {{ served(by_harm) }}, unsafe_served_trials{{ tail }},
        ('unsafe_attempted', {{ attempted(by_harm) }}, unsafe_attempted_trials{{ tail }},
        ('mitigation', {{ by_harm }}[1], {{ attempted(by_harm) }}{{ tail }}
{%- endmacro %}
CREATE OR REPLACE VIEW kpi_output_shares AS
{% call shares() %}
    SELECT
        ratio.1 AS kpi, '' AS part, window_start, service_name, model_version,
        toFloat64(ratio.2) AS numerator, toUInt64(ratio.3) AS n, guard_trust AS trust, guard_trust_reason AS trust_reason
    FROM kpi_counts({{ by_version }})
    ARRAY JOIN [
        {{ harm_shares("unsafe_by_harm") }},
        ('injection_flag', injection_flag, injection_flag_trials),
        ('over_refusal', over_refusal, over_refusal_trials),
        ('blocked', blocked, blocked_trials),
        ('filtered', filtered, filtered_trials),
        ('failing_tool', failing_tool, failing_tool_trials),
        ('prompt_pii', prompt_pii, prompt_pii_trials),
        ('quality', quality, quality_trials),
        ('goal_hijack', goal_hijack, goal_hijack_trials),
        ('memory_poisoning', memory_poisoning, memory_poisoning_trials),
        ('inter_agent', inter_agent, inter_agent_trials),
        ('privilege_abuse', privilege_abuse, privilege_abuse_trials)
    ] AS ratio
{% endcall %};

CREATE OR REPLACE VIEW kpi_guard_shares AS
{% call shares() %}
    SELECT
        ratio.1 AS kpi, '' AS part, frame.window_start AS window_start, frame.service_name AS service_name,
        guarded.version AS model_version, toFloat64(ratio.2) AS numerator, toUInt64(ratio.3) AS n, frame.trust AS trust,
        frame.trust_reason AS trust_reason
    FROM kpi_frame({{ windows }}) AS frame
    LEFT JOIN (
        SELECT
            {{ window_start("hour") }} AS bucket,
            service_name, {{ version }},
            sum(outputs) AS outputs, sum(covered) AS covered, sum(served) AS served, sum(exposed) AS exposed
        FROM {{ by_known_version("guard_hours_now", "outputs") }}
        GROUP BY bucket, service_name, version
    ) AS guarded ON guarded.bucket = frame.window_start AND guarded.service_name = frame.service_name
    ARRAY JOIN [
        ('guard_coverage', guarded.covered, guarded.outputs), ('fail_open', guarded.exposed, guarded.served)
    ] AS ratio
{% endcall %};

CREATE OR REPLACE VIEW kpi_guards AS
{% call shares() %}
    SELECT
        ratio.1 AS kpi, '' AS part, window_start, service_name, '' AS model_version,
        toFloat64(ratio.2) AS numerator, toUInt64(ratio.3) AS n, trust, trust_reason
    FROM kpi_frame({{ windows }})
    ARRAY JOIN [('guard_coverage', covered, outputs), ('fail_open', exposed, served)] AS ratio
{% endcall %};

CREATE OR REPLACE VIEW kpi_shares AS
SELECT {{ kpi_columns }}
FROM kpi_output_shares({{ by_version }})
UNION ALL
SELECT {{ kpi_columns }}
FROM kpi_guard_shares({{ by_version }});

CREATE OR REPLACE VIEW kpi_losses AS
{% call shares() %}
    SELECT
        ratio.1 AS kpi, '' AS part, window_start, service_name, '' AS model_version,
        toFloat64(ratio.2) AS numerator, toUInt64(ratio.3) AS n, trust, trust_reason
    FROM kpi_frame({{ windows }})
    ARRAY JOIN [
        ('lost_events', toUInt64(lost + dead_letters), toUInt64(events + lost + dead_letters)),
        ('late_events', toUInt64(least(late, events)), toUInt64(events))
    ] AS ratio
{% endcall %};

CREATE OR REPLACE VIEW kpi_known_shares AS
{% call shares() %}
    SELECT
        counted.kpi AS kpi, counted.part AS part, counted.window_start AS window_start,
        counted.service_name AS service_name, counted.version AS model_version,
        counted.numerator AS numerator, counted.n AS n,
        {{ trust_of("frame.trust") }}
    FROM (
        SELECT
            ratio.1 AS kpi, ratio.2 AS part,
            {{ window_start("minute") }} AS window_start,
            service_name, {{ version }},
            toFloat64(sum(ratio.3)) AS numerator, sum(ratio.4) AS n
        FROM probes_now
        ARRAY JOIN [
            ('injection_detection', '', detected, state != 'unreachable'),
            ('probe_detection', if(family = '', 'other', family), detected, state != 'unreachable'),
            ('probes_unreachable', '', state = 'unreachable', true)
        ] AS ratio
        WHERE {{ within("minute") }}
        GROUP BY kpi, part, window_start, service_name, version
        UNION ALL
        SELECT
            'stage_errors' AS kpi, toString(stage) AS part,
            {{ window_start("hour") }} AS window_start,
            service_name, {{ version }},
            toFloat64(sum(failed)) AS numerator, sum(judged) AS n
        FROM {{ by_known_version("stage_hours FINAL", "judged") }}
        GROUP BY window_start, service_name, version, part
        UNION ALL
        SELECT
            searched.1 AS kpi, '' AS part, {{ window_start("toDateTime(time, 'UTC')") }} AS window_start, service_name, '' AS version,
            toFloat64(sum(searched.2)) AS numerator, toUInt64(sum(searched.3)) AS n
        FROM (
            SELECT time, service_name, arrayJoin([
                ('unvetted_served', toFloat64(arrayCount(trust -> NOT has({{ vetted + unsaid }}, toString(trust)), documents_trust)),
                    toFloat64(length(documents_id))),
                ('empty_searches', if(ifNull(returned_count, toInt64(length(documents_id))) = 0, 1., 0.), 1.)
            ]) AS searched
            FROM retrievals FINAL
            WHERE probe_id = '' AND {{ within("time") }}
        )
        GROUP BY kpi, window_start, service_name
        HAVING n > 0
        UNION ALL
        SELECT
            'limited' AS kpi, '' AS part,
            {{ window_start("hour") }} AS window_start,
            service_name, {{ version }},
            toFloat64(sum(arraySum(mapValues(limited)))) AS numerator, sum(calls) AS n
        FROM {{ by_known_version("service_hours FINAL", "calls") }}
        GROUP BY window_start, service_name, version
        HAVING n > 0
        UNION ALL
        SELECT
            'satisfaction' AS kpi, '' AS part,
            {{ window_start("toDateTime(said_at, 'UTC')") }} AS window_start,
            service_name, {{ version }},
            assumeNotNull(sum(score)) AS numerator, count() AS n
        FROM labels_known(known_at='2106-01-01 00:00:00')
        WHERE annotator_kind = 'end_user' AND score BETWEEN 0 AND 1 AND {{ within("said_at") }}
        GROUP BY window_start, service_name, version
        UNION ALL
        SELECT
            'orphan_verdicts' AS kpi, '' AS part,
            {{ window_start("toDateTime(time, 'UTC')") }} AS window_start,
            service_name, '' AS version, toFloat64(sum(orphans)) AS numerator, sum(alone) AS n
        FROM (
            SELECT time, service_name, 1 AS alone, 0 AS orphans
            FROM guard_verdicts FINAL
            WHERE event_kind = 'guard_verdict' AND probe_id = '' AND {{ within("time") }}
            UNION ALL
            SELECT time, group.service_name, 0 AS alone, group.orphans
            FROM window_messages FINAL
            ARRAY JOIN JSONExtract(payload, 'groups', 'Array(Tuple(service_name String, orphans UInt64))') AS group
            WHERE {{ within("time") }} AND position(payload, '"orphans"') > 0
        )
        GROUP BY window_start, service_name
    ) AS counted
    LEFT JOIN kpi_frame({{ windows }}) AS frame
        ON frame.window_start = counted.window_start AND frame.service_name = counted.service_name
{% endcall %};

-- What is left of the error budget beside the share that it is made of: both for the price of one.
{% macro with_budget(source) -%}
WITH 1 - {objective:Float64} AS tolerated
SELECT
    figure.1 AS kpi, part, window_start, service_name, model_version, figure.2 AS value, figure.3 AS lower, figure.4 AS upper,
    n, trust, trust_reason
FROM {{ source }} AS shares
ARRAY JOIN arrayConcat(
    [(shares.kpi, shares.value, shares.lower, shares.upper)],
    if(shares.kpi = 'unsafe_served', [(
        'error_budget', 1 - shares.value / tolerated, 1 - shares.upper / tolerated, 1 - shares.lower / tolerated
    )], [])
) AS figure
{%- endmacro %}
CREATE OR REPLACE VIEW kpi_outputs AS
{{ with_budget("kpi_output_shares(" ~ by_version ~ ")") }};

-- The same of each axis by itself; `part` is the axis. An output that is harmful on two counts on both.
CREATE OR REPLACE VIEW kpi_axis_shares AS
{% call shares() %}
    SELECT
        ratio.1 AS kpi, ratio.4 AS part, window_start, service_name, model_version,
        toFloat64(ratio.2) AS numerator, toUInt64(ratio.3) AS n, guard_trust AS trust, guard_trust_reason AS trust_reason
    FROM kpi_counts({{ by_version }})
    ARRAY JOIN [
        {% for axis in harms %}
        {{ harm_shares(axis ~ "_by_harm", axis) }}{{ "," if not loop.last }}
        {% endfor %}
    ] AS ratio
{% endcall %};

CREATE OR REPLACE VIEW kpi_axis_outputs AS
{{ with_budget("kpi_axis_shares(" ~ by_version ~ ")") }};
