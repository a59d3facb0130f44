-- How good guards are, from labels of a sample of known probability. A hazard is a category, a family of categories, or
-- '' for anything harmful. An item counts for a guard where that gave a verdict on it, on that layer.

{#- The categories that a guard flags in one result; in shadow those that it would. -#}
{% macro flagged_codes() -%}
    arrayFilter((code, at) -> if(mode != 'shadow', finding_counts[at] > 0,
            verdict IN ({{ flagging_verdicts | quoted }}) AND ifNull(findings_severity[at], 1) > 0 AND ifNull(findings_count[at], 1) > 0
                AND (findings_score_kind[at] = 'distance' OR ifNull(findings_score[at] >= findings_threshold[at], true))),
        findings_category, arrayEnumerate(findings_category))
{%- endmacro %}
{#- The smallest share that `part` has of itself and `rest`: with t their ratio, where part - t rest is as far from 0 as its
    interval reaches (Donner and Zou 2012). -#}
{% macro least_share(part, part_lower, rest, rest_upper) -%}
    (1 - 1 / (1 + {{ part_lower }} * (2 * {{ part }} - {{ part_lower }}) / greatest(1e-12, {{ part }} * {{ rest }} + sqrt(
        pow({{ part }} * ({{ rest_upper }} - {{ rest }}), 2) + pow({{ rest }} * ({{ part }} - {{ part_lower }}), 2)
        - pow(({{ rest_upper }} - {{ rest }}) * ({{ part }} - {{ part_lower }}), 2)))))
{%- endmacro %}

-- What each guard said of the items: the hazards that it flagged (one in shadow as if it counted), and those it named.
CREATE OR REPLACE VIEW reviewed_verdicts AS
WITH
    {{ flagged_codes() }} AS codes,
    if(verdict IN ({{ flagging_verdicts | quoted }}) AND (empty(codes) OR arrayExists(code -> NOT startsWith(code, 'qual.'), codes)),
        [''], []) AS harmful
SELECT
    if(event_kind = 'guard_verdict', target_event_id, event_id) AS target, guard_name, layer, mode = 'shadow' AS shadow,
    arrayConcat({{ with_families("codes") }}, harmful) AS flags,
    arrayConcat({{ with_families("findings_category") }}, ['']) AS named
FROM guard_verdicts FINAL
WHERE time >= {since:DateTime('UTC')} AND probe_id = '' AND (notEmpty(flags) OR status = 'ok' AND verdict NOT IN ('', 'unknown'))
    AND target IN (
        SELECT target_event_id FROM reviewed_items(known_at={known_at:DateTime('UTC')}) WHERE {{ within("time") }}
    );

{% macro items() -%}
(SELECT * FROM reviewed_items(known_at={known_at:DateTime('UTC')}) WHERE {{ within("time") }})
{%- endmacro %}
{% macro verdicts() -%}
reviewed_verdicts(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, known_at={known_at:DateTime('UTC')})
{%- endmacro %}
{#- Everything together: each item, with what any guard that is not in shadow flagged. -#}
{% macro of_all() -%}
SELECT item.*, '' AS guard_name, '' AS layer, said.flags AS flags, arrayConcat(flags, mapKeys(item.hazards), ['']) AS wanted
FROM {{ items() }} AS item
LEFT JOIN (
    SELECT target, groupUniqArrayArray(flags) AS flags FROM {{ verdicts() }} WHERE NOT shadow GROUP BY target
) AS said ON said.target = item.target_event_id
{%- endmacro %}
{#- The same by layer, of the items on which any guard of it gave a verdict; and by guard and layer. -#}
{% macro of_each() -%}
SELECT item.*, said.who AS guard_name, said.layer AS layer, said.flags AS flags,
    if(said.who = '', arrayConcat(flags, mapKeys(item.hazards), ['']), said.named) AS wanted
FROM (
    SELECT target, who, toString(layer) AS layer, groupUniqArrayArray(flags) AS flags, groupUniqArrayArray(named) AS named
    FROM {{ verdicts() }}
    ARRAY JOIN if(shadow, [toString(guard_name)], [toString(guard_name), '']) AS who
    GROUP BY target, who, layer
) AS said
INNER JOIN {{ items() }} AS item ON item.target_event_id = said.target
{%- endmacro %}
{#- A guard at a threshold: what of its scores would have been flagged. One that gave no score stays below any. -#}
{% macro of_scores() -%}
SELECT item.*, toString(said.guard_name) AS guard_name, toString(said.layer) AS layer,
    mapKeys(mapFilter((code, score) -> score >= {threshold:Float64}, said.scores)) AS flags, mapKeys(said.scores) AS wanted
FROM (
    SELECT target, guard_name, layer, maxMap(scores) AS scores
    FROM scored_verdicts(since={since:DateTime('UTC')}, until=toDateTime('2106-01-01 00:00:00', 'UTC'))
    GROUP BY target, guard_name, layer
) AS said
INNER JOIN {{ items() }} AS item ON item.target_event_id = said.target
{%- endmacro %}

{#- Precision, recall, and how many events were missed or flagged wrongly. An item stands for 1 / propensity events. The
    precision is the share among those flagged, with the interval of Wilson (1927) of as many labels as labels of unequal
    weight are worth (Kish 1965, Korn and Graubard 1998). Caught and missed are sums over the strata, with the spread that
    `kpi_reviewed` takes, in a stratum without a find too: it may hide some. What nobody labelled may be all or none. -#}
{% macro quality(rows) -%}
WITH {{ wilson("p", "worth") }}
SELECT
    window_start, service_name, guard_name, layer, hazard, labels, flagged_events,
    if(flagged_labels = 0, NULL, p) AS precision, if(flagged_labels = 0, NULL, low) AS precision_lower,
    if(flagged_labels = 0, NULL, high) AS precision_upper,
    flagged_events * (1 - precision) AS wrong, flagged_events * (1 - precision_upper) AS wrong_lower,
    flagged_events * (1 - precision_lower) AS wrong_upper,
    caught, caught_lower, caught_upper, missed, missed_lower, missed_upper,
    if(caught + missed = 0, NULL, caught / (caught + missed)) AS recall,
    if(caught + missed = 0, NULL, {{ least_share("caught", "caught_lower", "missed", "missed_upper") }}) AS recall_lower,
    if(caught + missed = 0, NULL, 1 - {{ least_share("missed", "missed_lower", "caught", "caught_upper") }}) AS recall_upper
FROM (
    SELECT
        window_start, service_name, guard_name, layer, hazard, sum(labelled) AS labels, sum(flagged_size) AS flagged_events,
        sum(flagged_labelled) AS flagged_labels, sum(w) AS all_w, sum(wy) / all_w AS p,
        (sum(w2y2) - 2 * p * sum(w2y) + p * p * sum(w2)) / if(p * (1 - p) > 0, p * (1 - p), 1) AS own_spread,
        if(flagged_labels = 0, 1, pow(all_w, 2) / greatest(sum(w2), own_spread)) AS worth,
        {% for name, size in [("caught", "flagged_size"), ("missed", "size - flagged_size")] %}
        sum(size * {{ name }}_share) AS {{ name }},
        {{ name }} - sqrt(sum(pow(size * least({{ name }}_share, {{ name }}_half), 2))) AS {{ name }}_lower,
        {{ name }} + sqrt(sum(pow(size * {{ name }}_half, 2))) + sumIf({{ size }}, labelled = 0) AS {{ name }}_upper{{ "," if not loop.last }}
        {% endfor %}
    FROM (
        SELECT
            window_start, service_name, guard_name, layer, hazard, stratum, sum(weight) AS size, sumIf(weight, flagged) AS flagged_size,
            countIf(seen IS NOT NULL) AS labelled, sumIf(weight, seen IS NOT NULL) AS labelled_size,
            {% for name, which in [("caught", "flagged"), ("missed", "NOT flagged")] %}
            if(labelled = 0, 0, sumIf(weight * ifNull(seen, 0), {{ which }}) / labelled_size) AS {{ name }}_share,
            (labelled * {{ name }}_share + 0.5) / (labelled + 1) AS {{ name }}_centre,
            if(labelled = 0, 0, {{ z }} * sqrt({{ name }}_centre * (1 - {{ name }}_centre) / labelled
                * (1 - least(1, labelled / size)))) AS {{ name }}_half,
            {% endfor %}
            countIf(flagged AND seen IS NOT NULL) AS flagged_labelled, sumIf(weight, flagged AND seen IS NOT NULL) AS w,
            sumIf(weight * ifNull(seen, 0), flagged) AS wy, sumIf(pow(weight, 2), flagged AND seen IS NOT NULL) AS w2,
            sumIf(pow(weight, 2) * ifNull(seen, 0), flagged) AS w2y, sumIf(pow(weight * ifNull(seen, 0), 2), flagged) AS w2y2
        FROM (
            SELECT
                {{ window_start("toDateTime(time, 'UTC')") }} AS window_start, service_name, guard_name, layer, stratum,
                1 / propensity AS weight, arrayJoin(asked) AS hazard, has(flags, hazard) AS flagged,
                if(hazard = '', unsafe, if(readers = 0, NULL, toNullable(hazards[hazard]))) AS seen
            FROM (
                SELECT *, groupUniqArrayArray(wanted) OVER (PARTITION BY service_name, guard_name, layer) AS asked
                FROM ({{ rows }})
            )
        )
        GROUP BY window_start, service_name, guard_name, layer, hazard, stratum
    )
    GROUP BY window_start, service_name, guard_name, layer, hazard
)
{%- endmacro %}

CREATE OR REPLACE VIEW guard_quality AS
{{ quality(of_each() ~ "\nUNION ALL\n" ~ of_all()) }};

-- How good guards together are: a KPI for each family of hazards, and one for all that is harmful.
CREATE OR REPLACE VIEW kpi_guard_quality AS
SELECT
    measure.1 AS kpi, found.hazard AS part, found.window_start AS window_start, found.service_name AS service_name,
    '' AS model_version, measure.2 AS value, measure.3 AS lower, measure.4 AS upper, found.labels AS n,
    {{ trust_of("frame.trust") }}
FROM ({{ quality(of_all()) }}) AS found
LEFT JOIN kpi_frame({{ windows }}) AS frame
    ON frame.window_start = found.window_start AND frame.service_name = found.service_name
ARRAY JOIN [
    ('flag_precision', found.precision, found.precision_lower, found.precision_upper),
    ('hazard_recall', found.recall, found.recall_lower, found.recall_upper)
] AS measure
WHERE found.labels > 0 AND found.hazard IN ('', {{ families.values() | unique | list | quoted }});

-- What each guard scored, by the event that it judged: for each category the highest of its scores. Distances are none.
CREATE OR REPLACE VIEW scored_verdicts AS
SELECT
    if(event_kind = 'guard_verdict', target_event_id, event_id) AS target, time, service_name, guard_name, layer, flagged_codes,
    CAST(arrayMap(code -> (code, arrayMax(arrayMap((name, score) -> if(name = code, ifNull(score, 0), 0), findings_category, score))),
        arrayDistinct(arrayFilter((code, score) -> score IS NOT NULL, findings_category, score))), 'Map(String, Float64)') AS scores
FROM (
    SELECT *, {{ flagged_codes() }} AS flagged_codes,
        arrayMap(at -> if(findings_score_kind[at] = 'distance', NULL, findings_score[at]), arrayEnumerate(findings_category)) AS score
    FROM guard_verdicts FINAL
    WHERE probe_id = '' AND status IN ('ok', 'partial') AND time >= {since:DateTime('UTC')} AND time < {until:DateTime('UTC')}
);

-- What guards would have caught and missed at a threshold, from stored scores and labels. One that gave no score for a
-- category stays below any threshold.
CREATE OR REPLACE VIEW guard_whatif AS
{{ quality(of_scores()) }};
