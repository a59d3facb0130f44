-- Guard coverage and exposure of all versions together come with the trust of their hour: what is judged every ten
-- seconds is not counted again by every query.

ALTER TABLE trust_hours ADD COLUMN IF NOT EXISTS served UInt64 AFTER covered, ADD COLUMN IF NOT EXISTS exposed UInt64 AFTER served;

DROP VIEW IF EXISTS trust_hours_judged;

CREATE MATERIALIZED VIEW trust_hours_judged REFRESH AFTER 10 SECOND TO trust_hours AS
SELECT
    trusts.window_start AS window_start, trusts.service_name AS service_name, events, outputs, covered,
    guards.served AS served, guards.exposed AS exposed, late, lost, dead_letters, trust, trust_reason, guard_trust,
    guard_trust_reason, now('UTC') AS judged_at
FROM kpi_trust AS trusts
LEFT JOIN (
    SELECT hour, service_name, sum(guarded.served) AS served, sum(guarded.exposed) AS exposed
    FROM guard_hours_now AS guarded GROUP BY hour, service_name
) AS guards ON guards.hour = trusts.window_start AND guards.service_name = trusts.service_name;

CREATE OR REPLACE VIEW kpi_frame AS
SELECT
    toDateTime(toUInt32({since:DateTime('UTC')}) + intDiv(toUInt32(trusts.window_start) - toUInt32({since:DateTime('UTC')}), {step:UInt32}) * {step:UInt32}, 'UTC') AS window_start,
    trusts.service_name AS service_name, sum(trusts.events) AS events, sum(trusts.outputs) AS outputs,
    sum(trusts.covered) AS covered, sum(trusts.served) AS served, sum(trusts.exposed) AS exposed,
    sum(trusts.late) AS late, sum(trusts.lost) AS lost, sum(trusts.dead_letters) AS dead_letters,
    if(countIf(trusts.trust = 'untrusted') = 0, 'trusted', 'untrusted') AS trust,
    if(count() = 1 OR trust = 'trusted', any(trusts.trust_reason), concat(
        toString(countIf(trusts.trust = 'untrusted')), ' of ', toString(count()), ' hours, first: ',
        argMinIf(trusts.trust_reason, trusts.window_start, trusts.trust = 'untrusted'))) AS trust_reason,
    if(countIf(trusts.guard_trust = 'untrusted') = 0, 'trusted', 'untrusted') AS guard_trust,
    if(count() = 1 OR guard_trust = 'trusted', any(trusts.guard_trust_reason), concat(
        toString(countIf(trusts.guard_trust = 'untrusted')), ' of ', toString(count()), ' hours, first: ',
        argMinIf(trusts.guard_trust_reason, trusts.window_start, trusts.guard_trust = 'untrusted'))) AS guard_trust_reason
FROM trust_hours AS trusts
WHERE trusts.window_start >= {since:DateTime('UTC')} AND trusts.window_start < {until:DateTime('UTC')}
GROUP BY window_start, service_name;

CREATE OR REPLACE VIEW kpi_guards AS
WITH 1.959963984540054 AS z, numerator / n AS p, 1 + z * z / n AS scale,
    (p + z * z / (2 * n)) / scale AS middle, z / scale * sqrt(p * (1 - p) / n + z * z / (4 * n * n)) AS half
SELECT
    kpi, part, window_start, service_name, model_version, if(n = 0, NULL, p) AS value,
    multiIf(n = 0, NULL, numerator = 0, 0, greatest(middle - half, 0)) AS lower,
    multiIf(n = 0, NULL, numerator = n, 1, least(middle + half, 1)) AS upper,
    n, trust, trust_reason
FROM (
    SELECT
        ratio.1 AS kpi, '' AS part, window_start, service_name, '' AS model_version,
        toFloat64(ratio.2) AS numerator, toUInt64(ratio.3) AS n, trust, trust_reason
    FROM kpi_frame(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32})
    ARRAY JOIN [('guard_coverage', covered, outputs), ('fail_open', exposed, served)] AS ratio
);

-- What takes a time people answer for is read once for the median, the 90th percentile and the ages of those that wait.
-- Intervals are order statistics (binomial ranks); ages have none.

CREATE OR REPLACE VIEW kpi_durations AS
WITH 1.959963984540054 AS z
SELECT
    concat(name, measure.1) AS kpi, '' AS part, spans.window_start AS window_start,
    spans.service_name AS service_name, '' AS model_version,
    measure.2 AS value, measure.3 AS lower, measure.4 AS upper, measure.5 AS n,
    if(frame.trust = '', 'untrusted', frame.trust) AS trust,
    if(frame.trust = '', 'no events', frame.trust_reason) AS trust_reason
FROM (
    SELECT
        name, toDateTime(toUInt32({since:DateTime('UTC')}) + intDiv(toUInt32(toDateTime(began, 'UTC')) - toUInt32({since:DateTime('UTC')}), {step:UInt32}) * {step:UInt32}, 'UTC') AS window_start,
        service_name, arraySort(groupArrayIf(assumeNotNull(seconds), seconds IS NOT NULL)) AS sorted,
        length(sorted) AS number, countIf(waiting) AS open,
        arrayMap(rank -> (
            toInt64(floor(number * rank - z * sqrt(number * rank * (1 - rank)))),
            toInt64(ceil(number * rank + z * sqrt(number * rank * (1 - rank)))) + 1), [0.5, 0.9]) AS ranks,
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
    WHERE began >= {since:DateTime('UTC')} AND began < {until:DateTime('UTC')}
    GROUP BY name, window_start, service_name
) AS spans
LEFT JOIN kpi_frame(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}) AS frame
    ON frame.window_start = spans.window_start AND frame.service_name = spans.service_name;

-- The windows and their trust stand here in full: the engine plans a view inside of a view twice.

CREATE OR REPLACE VIEW kpi_counts AS
SELECT
    frame.window_start AS window_start, frame.service_name AS service_name, counted.version AS model_version,
    frame.trust AS trust, frame.trust_reason AS trust_reason,
    frame.guard_trust AS guard_trust, frame.guard_trust_reason AS guard_trust_reason,
    counted.events AS events, counted.* EXCEPT (bucket, service_name, version, events)
FROM (
    SELECT
        toDateTime(toUInt32({since:DateTime('UTC')}) + intDiv(toUInt32(trusts.window_start) - toUInt32({since:DateTime('UTC')}), {step:UInt32}) * {step:UInt32}, 'UTC') AS window_start,
        trusts.service_name AS service_name,
        if(countIf(trusts.trust = 'untrusted') = 0, 'trusted', 'untrusted') AS trust,
        if(count() = 1 OR trust = 'trusted', any(trusts.trust_reason), concat(
            toString(countIf(trusts.trust = 'untrusted')), ' of ', toString(count()), ' hours, first: ',
            argMinIf(trusts.trust_reason, trusts.window_start, trusts.trust = 'untrusted'))) AS trust_reason,
        if(countIf(trusts.guard_trust = 'untrusted') = 0, 'trusted', 'untrusted') AS guard_trust,
        if(count() = 1 OR guard_trust = 'trusted', any(trusts.guard_trust_reason), concat(
            toString(countIf(trusts.guard_trust = 'untrusted')), ' of ', toString(count()), ' hours, first: ',
            argMinIf(trusts.guard_trust_reason, trusts.window_start, trusts.guard_trust = 'untrusted'))) AS guard_trust_reason
    FROM trust_hours AS trusts
    WHERE trusts.window_start >= {since:DateTime('UTC')} AND trusts.window_start < {until:DateTime('UTC')}
    GROUP BY window_start, service_name
) AS frame
LEFT JOIN (
    SELECT
        toDateTime(toUInt32({since:DateTime('UTC')}) + intDiv(toUInt32(hour) - toUInt32({since:DateTime('UTC')}), {step:UInt32}) * {step:UInt32}, 'UTC') AS bucket,
        service_name, if({versions:UInt8}, toString(model_version), '') AS version,
        sum(events) AS events, sum(calls) AS calls,
        sum(unsafe_attempted_trials) AS unsafe_attempted_trials, sum(unsafe_attempted) AS unsafe_attempted,
        sum(unsafe_served_trials) AS unsafe_served_trials, sum(unsafe_served) AS unsafe_served,
        sum(injection_flag_trials) AS injection_flag_trials, sum(injection_flag) AS injection_flag,
        sum(leak_trials) AS leak_trials, sum(leak) AS leak, sum(error_trials) AS error_trials, sum(error) AS error,
        sum(over_refusal_trials) AS over_refusal_trials, sum(over_refusal) AS over_refusal,
        sumMap(unsafe_by_severity) AS unsafe_by_severity
    FROM service_hours FINAL
    WHERE hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
    GROUP BY bucket, service_name, version
) AS counted ON counted.bucket = frame.window_start AND counted.service_name = frame.service_name;

-- What is left of the error budget beside the share that it is made of: both for the price of one.

CREATE OR REPLACE VIEW kpi_outputs AS
WITH 1 - {objective:Float64} AS tolerated
SELECT
    figure.1 AS kpi, part, window_start, service_name, model_version, figure.2 AS value, figure.3 AS lower, figure.4 AS upper,
    n, trust, trust_reason
FROM kpi_output_shares(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}, versions={versions:UInt8}) AS shares
ARRAY JOIN arrayConcat(
    [(shares.kpi, shares.value, shares.lower, shares.upper)],
    if(shares.kpi = 'unsafe_served', [(
        'error_budget', 1 - shares.value / tolerated, 1 - shares.upper / tolerated, 1 - shares.lower / tolerated
    )], [])
) AS figure;

CREATE OR REPLACE VIEW kpi_budgets AS
SELECT kpi, part, window_start, service_name, model_version, value, lower, upper, n, trust, trust_reason
FROM kpi_outputs(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}, versions={versions:UInt8}, objective={objective:Float64})
WHERE kpi = 'error_budget';
