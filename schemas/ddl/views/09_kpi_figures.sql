-- Three totals, each of its own, so that one alone costs one.
CREATE OR REPLACE VIEW kpi_leaks AS
SELECT
    'leak_incidents' AS kpi, '' AS part, frame.window_start AS window_start, frame.service_name AS service_name, '' AS model_version,
    if(frame.events = 0 AND leaks.n = 0, NULL, toNullable(toFloat64(leaks.reached))) AS value,
    {{ no_bounds }}, leaks.n AS n,
    frame.guard_trust AS trust, frame.guard_trust_reason AS trust_reason
FROM kpi_frame({{ windows }}) AS frame
LEFT JOIN (
    SELECT
        {{ window_start("toDateTime(assumeNotNull(detected), 'UTC')") }} AS window_start,
        service_name, count() AS n, countIf(ifNull(reached_user, true)) AS reached
    FROM incident_clocks
    WHERE family = 'leak' AND NOT false_positive AND NOT merged AND {{ within("detected") }}
    GROUP BY window_start, service_name
) AS leaks ON leaks.window_start = frame.window_start AND leaks.service_name = frame.service_name;

CREATE OR REPLACE VIEW kpi_drifts AS
SELECT
    'drift_open' AS kpi, '' AS part, frame.window_start AS window_start, frame.service_name AS service_name, '' AS model_version,
    if(frame.events = 0, NULL, toNullable(toFloat64(drifts.number))) AS value,
    {{ no_bounds }}, drifts.metrics AS n,
    frame.trust AS trust, frame.trust_reason AS trust_reason
FROM kpi_frame({{ windows }}) AS frame
LEFT JOIN (
    SELECT
        service_name, uniqExact(metric) AS metrics, count() AS number,
        toDateTime(toUInt32({since:DateTime('UTC')}) + toUInt32(arrayJoin(range(
            {{ window_number("detected_time") }},
            {{ window_number("shown_until") }}
        ))) * {step:UInt32}, 'UTC') AS window_start
    FROM (
        SELECT *, ifNull(toDateTime(ended, 'UTC'),
            (SELECT max(hour) FROM service_hours) + toIntervalSecond({step:UInt32} + 3600)) AS shown_until
        FROM drift_indicators
    )
    WHERE detected_time < {until:DateTime('UTC')}
    GROUP BY window_start, service_name
) AS drifts ON drifts.window_start = frame.window_start AND drifts.service_name = frame.service_name;

-- Whole numbers: counts of what was recorded, so without an interval. `n` is what they were counted among.
CREATE OR REPLACE VIEW kpi_totals AS
SELECT
    'leak_events' AS kpi, '' AS part, window_start, service_name, model_version,
    if(events = 0, NULL, toNullable(toFloat64(leak))) AS value,
    {{ no_bounds }},
    leak_trials AS n, guard_trust AS trust, guard_trust_reason AS trust_reason
FROM kpi_counts({{ by_version }})
UNION ALL
SELECT {{ kpi_columns }}
FROM kpi_leaks({{ windows }})
UNION ALL
SELECT {{ kpi_columns }}
FROM kpi_drifts({{ windows }});

-- What takes a time people answer for is read once for the median, the 90th percentile and the ages of those that wait.
-- Intervals are order statistics (binomial ranks); ages have none.
{% macro durations(axis) -%}
SELECT
    concat(name, measure.1) AS kpi, spans.part AS part, spans.window_start AS window_start,
    spans.service_name AS service_name, '' AS model_version,
    measure.2 AS value, measure.3 AS lower, measure.4 AS upper, measure.5 AS n,
    {{ trust_of("frame.trust") }}
FROM (
    SELECT
        name, {{ axis }} AS part, {{ window_start("toDateTime(began, 'UTC')") }} AS window_start,
        service_name, arraySort(groupArrayIf(assumeNotNull(seconds), seconds IS NOT NULL)) AS sorted,
        length(sorted) AS number, countIf(waiting) AS open,
        arrayMap(q -> {{ ranks("number", "q") }}, [0.5, 0.9]) AS ranks,
        arrayJoin(arrayConcat(arrayMap((suffix, quantile, rank) -> (
                suffix, quantile, if(rank.1 >= 1, toNullable(sorted[rank.1]), NULL),
                if(rank.2 <= number, toNullable(sorted[rank.2]), NULL), toUInt64(number)
            ), ['', '_p90'], [
                quantileExactInclusiveOrNullIf(0.5)(assumeNotNull(seconds), seconds IS NOT NULL),
                quantileExactInclusiveOrNullIf(0.9)(assumeNotNull(seconds), seconds IS NOT NULL)
            ], ranks), if(open = 0, [], [(
                '_open', quantileExactInclusiveOrNullIf(0.5)(dateDiff('millisecond', began, moment) / 1000, waiting),
                CAST(NULL AS Nullable(Float64)), CAST(NULL AS Nullable(Float64)), open
            )]))) AS measure
    FROM (SELECT *, least(now64(3, 'UTC'), toDateTime64({until:DateTime('UTC')}, 3, 'UTC')) AS moment FROM clock_spans)
    WHERE {{ within("began") }}{{ " AND axis != ''" if axis == "axis" }}
    GROUP BY name, part, window_start, service_name
) AS spans
LEFT JOIN kpi_frame({{ windows }}) AS frame
    ON frame.window_start = spans.window_start AND frame.service_name = spans.service_name
{%- endmacro %}
CREATE OR REPLACE VIEW kpi_durations AS
{{ durations("''") }};

-- The same of each axis by itself; `part` is the axis.
CREATE OR REPLACE VIEW kpi_axis_durations AS
{{ durations("axis") }};

-- Latency of each stage from bins an eighth of a doubling wide: the middle of the bin, and order-statistic bounds.
CREATE OR REPLACE VIEW kpi_latencies AS
SELECT
    wanted.1 AS kpi, stages.stage AS part, stages.window_start AS window_start, stages.service_name AS service_name,
    stages.version AS model_version,
    if(number = 0, NULL, exp2((bin[arrayFirstIndex(x -> x >= wanted.2 * number, upto)] + 0.5) / 8)) AS value,
    if(low < 1, NULL, exp2(bin[arrayFirstIndex(x -> x >= low, upto)] / 8)) AS lower,
    if(high > number, NULL, exp2((bin[arrayFirstIndex(x -> x >= high, upto)] + 1) / 8)) AS upper,
    number AS n, {{ trust_of("frame.trust") }}
FROM (
    SELECT
        window_start, service_name, version, stage, mapKeys(summed) AS bin, arrayCumSum(mapValues(summed)) AS upto,
        arraySum(mapValues(summed)) AS number, arrayJoin([('latency_p50', 0.5), ('latency_p95', 0.95)]) AS wanted,
        {{ ranks("number", "wanted.2") }} AS rank, rank.1 AS low, rank.2 AS high
    FROM (
        SELECT
            {{ window_start("hour") }} AS window_start,
            service_name, {{ version }}, toString(stage) AS stage, mapSort(sumMap(bins)) AS summed
        FROM {{ by_known_version("stage_hours FINAL", "judged") }}
        GROUP BY window_start, service_name, version, stage
    )
) AS stages
LEFT JOIN kpi_frame({{ windows }}) AS frame
    ON frame.window_start = stages.window_start AND frame.service_name = stages.service_name;

CREATE OR REPLACE VIEW kpi_governance_now AS
SELECT
    'governance' AS kpi, '' AS part, assumeNotNull(toStartOfHour((SELECT max(hour) FROM service_hours))) AS window_start,
    service_name, '' AS model_version, if(published, toNullable(share), NULL) AS value,
    {{ no_bounds }}, n,
    if(published, 'trusted', 'untrusted') AS trust, if(published, '', 'no policy was published') AS trust_reason
FROM (
    SELECT service_name, have / 4 AS share, 4 AS n FROM governed_services
    UNION ALL
    SELECT '' AS service_name, countIf(have = 4) / count() AS share, count() AS n FROM governed_services HAVING n > 0
) AS shares
CROSS JOIN (SELECT count() > 0 AS published FROM service_policies_now) AS policies;

-- Model calls that failed, and those slower than is wanted of their service, each beside what is left of its budget. The
-- limit of a slow call is rounded up to the next bin, an eighth of a doubling wide.
CREATE OR REPLACE VIEW kpi_calls AS
WITH least(numerator, toFloat64(n)) / n AS p, {{ wilson("p", "n") }}
SELECT
    figure.1 AS kpi, '' AS part, window_start, service_name, model_version, if(n = 0, NULL, figure.2) AS value,
    if(n = 0, NULL, figure.3) AS lower, if(n = 0, NULL, figure.4) AS upper, n, trust, trust_reason
FROM (
    SELECT
        frame.window_start AS window_start, frame.service_name AS service_name, counted.version AS model_version,
        ratio.1 AS share, ratio.2 AS budget, toFloat64(ratio.3) AS numerator, toUInt64(ratio.4) AS n, ratio.5 AS tolerated,
        frame.trust AS trust, frame.trust_reason AS trust_reason
    FROM kpi_frame({{ windows }}) AS frame
    LEFT JOIN (
        SELECT
            {{ window_start("hour") }} AS bucket, service_name, {{ version }},
            sum(error) AS error, sum(error_trials) AS error_trials, sumMap(latency_bins) AS latency_bins
        FROM service_hours FINAL
        WHERE {{ within("hour") }}
        GROUP BY bucket, service_name, version
    ) AS counted ON counted.bucket = frame.window_start AND counted.service_name = frame.service_name
    {{ call_objectives_of("frame.service_name") }}
    ARRAY JOIN [
        ('call_errors', 'call_error_budget', counted.error, counted.error_trials, {{ call_objective("error_share") }}),
        ('slow_calls', 'slow_call_budget', {{ slow_calls("counted.latency_bins") }},
            arraySum(mapValues(counted.latency_bins)), {{ call_objective("slow_share") }})
    ] AS ratio
)
ARRAY JOIN [
    (share, p, low, high), (budget, 1 - p / tolerated, 1 - high / tolerated, 1 - low / tolerated)
] AS figure;
