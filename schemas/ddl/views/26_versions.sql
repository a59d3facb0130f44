-- What the versions of each service do over a time, of its models, its prompts (`name@version`) and the indexes that were searched
-- for its answers (`source@version`): shares of calls, each with the interval of Wilson (1927). A verdict that came alone counts
-- with the call that it names. An answer stands under every index of its trace.
{% set shares_of_calls = ["injection_flag", "leak", "blocked", "filtered", "refusal", "over_refusal", "quality", "prompt_pii", "error"] %}
{% set output_bit = rates.index("unsafe_attempted") %}
CREATE OR REPLACE VIEW version_kpis AS
WITH least(numerator, toFloat64(n)) / n AS p, {{ wilson("p", "n") }}
SELECT
    service_name, subject, version, first_time, last_time, calls, ratio.1 AS kpi, toFloat64(ratio.2) AS numerator, ratio.3 AS n,
    if(n = 0, NULL, p) AS value, if(n = 0, NULL, low) AS lower, if(n = 0, NULL, high) AS upper
FROM (
    SELECT
        service_name, named.1 AS subject, named.2 AS version, min(time) AS first_time, max(time) AS last_time, sum(call) AS calls,
        countIf(harm > 0) AS harmful, countIf(harm > 1) AS served, countIf(bitTest(tried, {{ output_bit }})) AS outputs
        {% for rate in shares_of_calls %}
        , countIf(bitTest(tried, {{ rates.index(rate) }})) AS {{ rate }}_n
        , countIf(bitTest(bitAnd(tried, found), {{ rates.index(rate) }})) AS {{ rate }}_k
        {% endfor %}
    FROM (
        SELECT
            calls.service_name AS service_name, calls.time AS time, calls.call AS call,
            bitOr(calls.trials, ifNull(by_event.trials, 0)) AS tried_by_event,
            bitOr(tried_by_event, ifNull(by_response.trials, 0)) AS tried,
            bitOr(bitOr(calls.flagged, ifNull(by_event.flagged, 0)), ifNull(by_response.flagged, 0)) AS found,
            greatest(calls.harm, ifNull(by_event.harm, 0), ifNull(by_response.harm, 0)) AS harm,
            arrayConcat(calls.versions, arrayMap(index -> ('index', index), ifNull(searched.indexes, []))) AS versions
        FROM (
            SELECT
                toString(service_name) AS service_name, time, event_id, response_id, trace_id, trials, flagged,
                greatest(safety_harm, security_harm) AS harm, NOT (operation_name IN ({{ wrappers | quoted }}) OR ifNull(superseded, false)) AS call,
                arrayFilter(named -> named.2 NOT IN ('', '{{ unknown_version }}'), [
                    ('model', toString(counted_version)),
                    ('prompt', if(prompt_version = '' OR prompt_name = '', prompt_version, concat(prompt_name, '@', prompt_version)))
                ]) AS versions
            FROM inferences FINAL
            WHERE {{ within("time") }} AND probe_id = ''
        ) AS calls
        {% for keyed, key, own in [("by_event", "target_event_id", "event_id"), ("by_response", "target_id", "response_id")] %}
        LEFT JOIN (
            SELECT
                toString(service_name) AS service_name, {{ key }} AS key, groupBitOr(trials) AS trials, groupBitOr(flagged) AS flagged,
                max(greatest(safety_harm, security_harm)) AS harm
            FROM guard_verdicts FINAL
            WHERE event_kind = 'guard_verdict' AND probe_id = '' AND time >= {since:DateTime('UTC')} AND time < {until:DateTime('UTC')} + INTERVAL 1 HOUR AND {{ key }} != ''
            GROUP BY service_name, key
        ) AS {{ keyed }} ON {{ keyed }}.service_name = calls.service_name AND {{ keyed }}.key = calls.{{ own }}
        {% endfor %}
        LEFT JOIN (
            SELECT
                trace_id, groupUniqArray(if(data_source_id = '', index_version, concat(data_source_id, '@', index_version))) AS indexes
            FROM retrievals FINAL
            WHERE index_version != '' AND trace_id != '' AND probe_id = '' AND {{ within("time") }}
            GROUP BY trace_id
        ) AS searched ON searched.trace_id = calls.trace_id
    )
    ARRAY JOIN versions AS named
    GROUP BY service_name, subject, version
)
ARRAY JOIN [
    ('unsafe_served', served, outputs), ('unsafe_attempted', harmful, outputs), ('mitigation', toUInt64(harmful - served), harmful)
    {% for rate in shares_of_calls %}
    , ('{{ rate }}', {{ rate }}_k, {{ rate }}_n)
    {% endfor %}
] AS ratio;
