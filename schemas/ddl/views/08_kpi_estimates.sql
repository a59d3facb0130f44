-- Risk-adjusted uptime, formula 2.
-- up(hour) = 1 - errors / calls; risk(hour) = min(1, w * p / (1 - objective)), p the share that was served of outputs unsafe on any axis, w
-- the mean weight of its severities (those of the policy; none said counts as medium); uptime is the mean of
-- up * (1 - risk) over the hours with outputs. Its bounds put those of the share of the whole window in (Wilson), spread
-- over the hours as what was seen is; an hour alone has too few outputs to say anything. Where nothing unsafe was seen,
-- each hour has the upper bound of the whole.
{% macro uptimes(axes) -%}
WITH 1 - {objective:Float64} AS tolerated,
    (SELECT any(severity_weights) FROM service_policies_now WHERE service_name = '') AS agreed,
    if(length(agreed) = 4, agreed, {{ severity_weights.values() | list }}) AS weights
SELECT
    'risk_adjusted_uptime' AS kpi, hours.axis AS part, hours.bucket AS window_start,
    hours.service_name AS service_name, hours.model_version AS model_version,
    avgOrNullIf(up * (1 - least(1, weight * p / tolerated)), outputs > 0) AS value,
    avgOrNullIf(up * (1 - least(1, weight * if(all_p = 0, high, p * high / all_p) / tolerated)), outputs > 0) AS lower,
    avgOrNullIf(up * (1 - least(1, weight * if(all_p = 0, 0, p * low / all_p) / tolerated)), outputs > 0) AS upper,
    countIf(outputs > 0) AS n,
    if(any(frame.guard_trust) = 'trusted', 'trusted', 'untrusted') AS trust, any(frame.guard_trust_reason) AS trust_reason
FROM (
    SELECT
        {{ window_start("window_start") }} AS bucket,
        service_name, model_version, harm.1 AS axis, harm.2 AS by_harm, unsafe_served_trials AS outputs,
        {{ served("by_harm") }} AS k, k / outputs AS p, if(error_trials = 0, 1, 1 - error / error_trials) AS up,
        if(k = 0, 1, (weights[2] * by_harm[2] + weights[1] * by_harm[3] + weights[2] * by_harm[4] + weights[3] * by_harm[5]
            + weights[4] * by_harm[6]) / k) AS weight,
        sum(outputs) OVER same AS all_outputs, sum(k) OVER same / all_outputs AS all_p,
        {{ wilson("all_p", "all_outputs") }}
    FROM kpi_counts(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step=3600, versions={versions:UInt8})
    ARRAY JOIN [{% for axis, name in axes %}('{{ axis }}', {{ name }}_by_harm){{ ", " if not loop.last }}{% endfor %}] AS harm
    WINDOW same AS (PARTITION BY bucket, service_name, model_version, axis)
) AS hours
LEFT JOIN kpi_frame({{ windows }}) AS frame ON frame.window_start = hours.bucket AND frame.service_name = hours.service_name
GROUP BY window_start, service_name, model_version, part
{%- endmacro %}
{% set together = [("", "unsafe")] %}
{% set apart = [("safety", "safety"), ("security", "security")] %}
CREATE OR REPLACE VIEW kpi_uptimes AS
{{ uptimes(together) }};

CREATE OR REPLACE VIEW kpi_axis_uptimes AS
{{ uptimes(apart) }};

-- Burn rates up to a moment over a long window and its short one: the smaller of the two, which is what an alert
-- compares with the threshold in `part` (Site Reliability Workbook, chapter 5).
{% macro burn_rates(trust) -%}
WITH {{ wilson("p", "n") }}
SELECT
    sums.kpi AS kpi, sums.axis AS axis, pair.1 AS part, {at:DateTime('UTC')} AS window_start, sums.service_name AS service_name,
    '' AS model_version, if(n = 0, NULL, p) / tolerated AS value,
    if(n = 0, NULL, low) / tolerated AS lower, if(n = 0, NULL, high) / tolerated AS upper, n,
    {{ trust_of("frame." ~ trust) }}
FROM (
    SELECT
        service_name, kpi, axis, any(tolerable) AS tolerated,
        arrayJoin({{ burns }}) AS pair,
        sumIf(trials, age < pair.2) AS long_n, sumIf(bad, age < pair.2) / long_n AS long_p,
        sumIf(trials, age < pair.3) AS short_n, sumIf(bad, age < pair.3) / short_n AS short_p,
        if(short_n > 0 AND short_p > long_p, long_n, short_n) AS n,
        if(short_n > 0 AND short_p > long_p, long_p, short_p) AS p
    FROM (
        SELECT
            minutes.service_name AS service_name, spent.1 AS kpi, spent.2 AS axis, any(spent.5) AS tolerable,
            intDiv(toUInt32({at:DateTime('UTC')}) - toUInt32(minutes.minute) - 1, 60) AS age,
            sum(spent.3) AS trials, sum(spent.4) AS bad
        FROM (
            SELECT * FROM service_minutes FINAL
            WHERE minute < {at:DateTime('UTC')} AND minute >= {at:DateTime('UTC')} - INTERVAL 3 DAY
        ) AS minutes
        {{ caller() }} AS spent
        GROUP BY service_name, kpi, axis, age
    )
    GROUP BY service_name, kpi, axis, pair
) AS sums
LEFT JOIN (
    SELECT service_name, {{ trust }}, {{ trust }}_reason
    FROM kpi_frame(since=toStartOfHour({at:DateTime('UTC')} - INTERVAL 3 DAY), until={at:DateTime('UTC')}, step=864000)
) AS frame ON frame.service_name = sums.service_name
{%- endmacro %}
{% macro harm_burn_rates(axes) -%}
{% call burn_rates("guard_trust") %}ARRAY JOIN [
            {% for axis, name in axes %}
            ('burn_rate', '{{ axis }}', unsafe_served_trials, {{ served(name ~ "_by_harm") }}, 1 - {objective:Float64}){{ "," if not loop.last }}
            {% endfor %}
        ]{% endcall %}
{%- endmacro %}
CREATE OR REPLACE VIEW kpi_burn_rates AS
SELECT {{ kpi_columns }} FROM (
{{ harm_burn_rates(together) }});

CREATE OR REPLACE VIEW kpi_axis_burn_rates AS
{{ harm_burn_rates(apart) }};

-- The same of calls that failed, and of slow ones, against what is wanted of their service.
CREATE OR REPLACE VIEW kpi_call_burn_rates AS
SELECT {{ kpi_columns }} FROM (
{% call burn_rates("trust") %}{{ call_objectives_of("minutes.service_name") }}
        ARRAY JOIN [
            ('call_error_burn_rate', '', minutes.error_trials, minutes.error, {{ call_objective("error_share") }}),
            ('slow_call_burn_rate', '', arraySum(mapValues(minutes.latency_bins)), {{ slow_calls("minutes.latency_bins") }},
                {{ call_objective("slow_share") }})
        ]{% endcall %});

-- The unsafe share of outputs as reviewers see it, and the share of harmless requests that were refused: Horvitz and Thompson
-- (1952) within strata, which are weighted by the sum of 1 / propensity over all items drawn from them. The spread of a stratum
-- is taken at (unsafe + 1/2) / (labels + 1), so that one without a find is not taken for certain: it may hide some, which is
-- a matter of the upper bound; from below a stratum is at most as uncertain as what was found in it (bounds of single parts
-- put together as Zou and Donner 2008 do). How many were drawn from a stratum is a matter of chance too, and with it how much
-- the stratum weighs (Hajek 1971): `sizes`, of each item that was drawn by itself, and of one run that was cut off. A stratum
-- without labels widens the bounds by its whole weight.
CREATE OR REPLACE VIEW kpi_reviewed AS
SELECT
    strata.kpi AS kpi, '' AS part, strata.window_start AS window_start, strata.service_name AS service_name,
    strata.version AS model_version,
    sumIf(weight * share, labelled > 0) / sumIf(weight, labelled > 0) AS share_seen,
    if(sum(labelled) = 0, NULL, share_seen) AS value,
    sumIf(weight, labelled > 0) / sum(weight) AS seen,
    greatest(0, sumIf(by_chance * pow(share, 2), labelled > 0) - 2 * share_seen * sumIf(by_chance * share, labelled > 0)
        + pow(share_seen, 2) * sumIf(by_chance, labelled > 0)) AS sizes,
    sqrt(sum(pow(weight * least(share, half), 2)) + sizes) / sum(weight) AS below,
    sqrt(sum(pow(weight * half, 2)) + sizes) / sum(weight) AS above,
    if(sum(labelled) = 0, NULL, greatest(0, share_seen * seen - below)) AS lower,
    if(sum(labelled) = 0, NULL, least(1, share_seen * seen + above + 1 - seen)) AS upper,
    sum(labelled) AS n, if(any(frame.trust) = '', 'untrusted', any(frame.trust)) AS trust,
    if(any(frame.trust) = '', 'no events', any(frame.trust_reason)) AS trust_reason
FROM (
    SELECT
        {{ window_start("toDateTime(time, 'UTC')") }} AS window_start,
        service_name, {{ version }}, stratum, outcome.1 AS kpi, sum(1 / propensity) AS weight, count(outcome.2) AS labelled,
        ifNull(sum(outcome.2 / propensity) / sumIf(1 / propensity, outcome.2 IS NOT NULL), 0) AS share,
        (labelled * share + 0.5) / (labelled + 1) AS centre,
        if(labelled = 0, 0, {{ z }} * sqrt(centre * (1 - centre) / labelled * (1 - least(1, labelled / weight)))) AS half,
        pow({{ z }} * weight / count(), 2) * least(count(), 1 + sum(by_itself)) * (1 - least(1, count() / weight)) AS by_chance
    FROM reviewed_items(known_at={known_at:DateTime('UTC')})
    ARRAY JOIN [('unsafe_reviewed', unsafe), ('over_refusal_reviewed', benign_blocked)] AS outcome
    WHERE {{ within("time") }}
    GROUP BY window_start, service_name, version, stratum, kpi
) AS strata
LEFT JOIN kpi_frame({{ windows }}) AS frame
    ON frame.window_start = strata.window_start AND frame.service_name = strata.service_name
GROUP BY kpi, window_start, service_name, model_version;

-- Agreement of the first two people who judged the same thing: Cohen's kappa (1960) with his large-sample error.
CREATE OR REPLACE VIEW kpi_agreements AS
WITH {{ z }} AS z
SELECT
    'review_agreement' AS kpi, '' AS part, pairs.window_start AS window_start, pairs.service_name AS service_name,
    '' AS model_version, if(expected = 1, NULL, (agreed - expected) / (1 - expected)) AS value,
    if(expected = 1, NULL, greatest(-1, value - half)) AS lower, if(expected = 1, NULL, least(1, value + half)) AS upper,
    pairs.number AS n, {{ trust_of("frame.trust") }}
FROM (
    SELECT
        {{ window_start("toDateTime(began, 'UTC')") }} AS window_start,
        service_name, count() AS number, avg(said[1] = said[2]) AS agreed,
        sumMap(map(said[1], 1)) AS first, sumMap(map(said[2], 1)) AS second,
        arraySum(label -> first[label] * second[label], mapKeys(first)) / (number * number) AS expected,
        z * sqrt(agreed * (1 - agreed) / number) / (1 - expected) AS half
    FROM (
        SELECT any(service) AS service_name, min(at) AS began,
            arrayMap(entry -> toString(entry.3), arraySort(groupArray((at, annotator_pseudo_id, word)))) AS said
        FROM (
            SELECT target_event_id, evaluation_name, annotator_pseudo_id, any(service_name) AS service,
                min(said_at) AS at, argMin(label, (said_at, event_id)) AS word
            FROM labels_known(known_at='2106-01-01 00:00:00')
            WHERE annotator_kind = 'human' AND label != 'cannot_judge'
            GROUP BY target_event_id, evaluation_name, annotator_pseudo_id
        )
        GROUP BY target_event_id, evaluation_name
        HAVING length(said) >= 2
    )
    WHERE {{ within("began") }}
    GROUP BY window_start, service_name
) AS pairs
LEFT JOIN kpi_frame({{ windows }}) AS frame
    ON frame.window_start = pairs.window_start AND frame.service_name = pairs.service_name;
