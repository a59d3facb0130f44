-- What guards and refusals cost those who are asked to bear them, and what services measure of themselves.

-- Refusals as the user met them. One says of itself what it can: those that say nothing are in no rate but that of retries,
-- which are calls of the same session within five minutes.
CREATE OR REPLACE VIEW kpi_refusals AS
{% set refusal = rates.index("refusal") %}
{% call shares() %}
    SELECT
        counted.kpi AS kpi, '' AS part, counted.window_start AS window_start, counted.service_name AS service_name,
        counted.version AS model_version, counted.numerator AS numerator, counted.n AS n, {{ trust_of("frame.trust") }}
    FROM (
        SELECT
            ratio.1 AS kpi, {{ window_start("toDateTime(time, 'UTC')") }} AS window_start, service_name, {{ version }},
            toFloat64(sum(ifNull(ratio.2, false))) AS numerator, toUInt64(sum(ratio.3)) AS n
        FROM (
            SELECT *, leadInFrame(toNullable(time)) OVER (
                    PARTITION BY service_name, session ORDER BY time, event_id ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING
                ) AS following
            FROM (
                SELECT time, service_name, counted_version AS model_version, event_id, bitTest(bitAnd(flagged, trials), {{ refusal }}) AS refused,
                    refusal_reason, refusal_alternative, handed_over, {{ session() }} AS session
                FROM inferences FINAL
                WHERE time >= {since:DateTime('UTC')} AND time < {until:DateTime('UTC')} + INTERVAL 5 MINUTE
                    AND bitTest(trials, {{ refusal }}) AND (service_name, if({{ session() }} = '', event_id, {{ session() }})) IN (
                        SELECT service_name, if({{ session() }} = '', event_id, {{ session() }}) FROM inferences
                        WHERE {{ within("time") }} AND bitTest(bitAnd(flagged, trials), {{ refusal }})
                    )
            )
        )
        ARRAY JOIN [
            ('refusal_reasons', toNullable(refusal_reason != ''),
                refusal_reason != '' OR refusal_alternative IS NOT NULL OR handed_over IS NOT NULL),
            ('refusal_alternatives', refusal_alternative, refusal_alternative IS NOT NULL),
            ('refusal_handovers', handed_over, handed_over IS NOT NULL),
            ('refusal_retries', session != '' AND following < time + INTERVAL 5 MINUTE, session != '')
        ] AS ratio
        WHERE refused AND {{ within("time") }}
        GROUP BY kpi, window_start, service_name, version
    ) AS counted
    LEFT JOIN kpi_frame({{ windows }}) AS frame
        ON frame.window_start = counted.window_start AND frame.service_name = counted.service_name
{% endcall %};

-- The share of guards in the time that requests take; that in which people are waited for is left out. Its interval is
-- that of the odds of two sums of independent numbers.
CREATE OR REPLACE VIEW kpi_guard_time AS
SELECT
    'guard_time' AS kpi, '' AS part, sums.window_start AS window_start, sums.service_name AS service_name,
    sums.version AS model_version, if(guards = 0, NULL, guards / (guards + others)) AS value,
    {{ z }} * sqrt(guards2 / pow(guards, 2) + if(others = 0, 0, others2 / pow(others, 2))) AS half,
    if(guards = 0, NULL, 1 / (1 + others / guards * exp(half))) AS lower,
    if(guards = 0, NULL, 1 / (1 + others / guards * exp(-half))) AS upper, sums.n AS n, {{ trust_of("frame.trust") }}
FROM (
    SELECT
        {{ window_start("hour") }} AS window_start, service_name, {{ version }},
        sumIf(total_ms, stage = 'guard') AS guards, sumIf(squared_ms, stage = 'guard') AS guards2,
        sumIf(total_ms, stage NOT IN ('guard', 'approval')) AS others, sumIf(squared_ms, stage NOT IN ('guard', 'approval')) AS others2,
        sumIf(arraySum(mapValues(bins)), stage = 'guard') AS n
    FROM {{ by_known_version("stage_hours FINAL", "judged") }}
    GROUP BY window_start, service_name, version
) AS sums
LEFT JOIN kpi_frame({{ windows }}) AS frame
    ON frame.window_start = sums.window_start AND frame.service_name = sums.service_name;

-- Outputs in which a guard or judge found them ungrounded, misinforming or biased.
CREATE OR REPLACE VIEW kpi_quality_codes AS
{% call shares() %}
    SELECT
        code AS kpi, '' AS part, counts.window_start AS window_start, counts.service_name AS service_name,
        counts.model_version AS model_version, toFloat64(found.by_code[concat('qual.', code)]) AS numerator,
        toUInt64(counts.quality_trials) AS n, counts.guard_trust AS trust, counts.guard_trust_reason AS trust_reason
    FROM kpi_counts({{ by_version }}) AS counts
    LEFT JOIN (
        SELECT {{ window_start("minute") }} AS window_start, service_name, {{ version }},
            sumMap(map(toString(category), events)) AS by_code
        FROM category_minutes FINAL
        WHERE {{ within("minute") }} AND startsWith(category, 'qual.')
        GROUP BY window_start, service_name, version
    ) AS found ON found.window_start = counts.window_start AND found.service_name = counts.service_name
        AND found.version = counts.model_version
    ARRAY JOIN ['ungrounded', 'misinformation', 'bias'] AS code
{% endcall %};

-- What goes into a call and what comes out of it: text, image, audio, video, or several, joined by `+`. A call that says
-- nothing else is one of text.
{% macro modality(side, text) -%}
    arrayStringConcat(arrayFilter(kind -> kind != '', arrayMap(others -> arrayConcat(
            [if({{ text }} OR empty(others), 'text', '')], others
        ), [arrayFilter(kind -> kind != '', [
            if(ifNull(usage_{{ side }}_images, 0) > 0{{ " OR output_type = 'image'" if side == "output" }}, 'image', ''),
            if(ifNull(usage_{{ side }}_audio_seconds, 0) > 0{{ " OR output_type = 'speech'" if side == "output" }}, 'audio', ''),
            if(ifNull(usage_{{ side }}_video_seconds, 0) > 0, 'video', '')
        ])])[1]), '+')
{%- endmacro %}
CREATE OR REPLACE VIEW inference_modalities AS
SELECT
    time, service_name, counted_version AS model_version, event_id,
    {{ modality("input", "input_text != '' OR ifNull(input_chars, 0) > 0") }} AS input_modality,
    {{ modality("output", "output_text != '' OR ifNull(output_chars, 0) > 0 OR output_type IN ('text', 'json')") }} AS output_modality,
    {{ rate_names("trials") }} AS counted_in, {{ rate_names("bitAnd(flagged, trials)") }} AS flagged_in
FROM inferences FINAL WHERE probe_id = '';

CREATE OR REPLACE VIEW rates_by_modality AS
WITH flagged / n AS p, {{ wilson("p", "n") }}
SELECT service_name, input_modality, output_modality, rate, flagged, n, p AS share, low AS lower, high AS upper
FROM (
    SELECT service_name, input_modality, output_modality, arrayJoin(counted_in) AS rate, countIf(has(flagged_in, rate)) AS flagged,
        count() AS n
    FROM inference_modalities WHERE {{ within("time") }}
    GROUP BY service_name, input_modality, output_modality, rate
);

-- Numbers that services send of themselves, by name: adoption, business value.
CREATE OR REPLACE VIEW service_measures AS
SELECT service_name, name, count() AS n, sum(value) AS total, avg(value) AS mean, min(value) AS smallest, max(value) AS largest,
    argMax(value, time) AS newest, max(time) AS newest_time
FROM telemetry FINAL
ARRAY JOIN mapKeys(measures) AS name, mapValues(measures) AS value
WHERE {{ within("time") }}
GROUP BY service_name, name;
