-- The calls of each service, counted as `look.py` says.
WITH
    NOT has({no_output:Array(String)}, toString(outcome)) AS answered,
    has({answers:Array(String)}, toString(operation_name)) AS answers,
    answers AND ifNull(duration_ms, 0) != 0 AS timed,
    timed AND ifNull(usage_output_tokens, 0) != 0 AS written
SELECT
    toString(service_name) AS service, count() AS calls, toUnixTimestamp64Nano(max(time)) AS newest,
    {% include "late.sql" %},
    countIf(answered) AS answering,
    {% for fields in lacking %}
    countIf(answered AND {% for field in fields %}ifNull(toString({{ field }}), '') = ''{{ " AND " if not loop.last }}{% endfor %}) AS lacking_{{ loop.index0 }},
    {% endfor %}
    countIf(written) AS speeds, quantileExactInclusiveIf(0.5)(1000 * usage_output_tokens / duration_ms, written) AS speed,
    countIf(timed) AS durations, quantileExactInclusiveIf(0.5)(ifNull(duration_ms, 0), timed) AS duration,
    {% for fields in tokens %}
    {% set whole, parts = fields[0], fields[1:] %}
    {% set sum %}({% for part in parts %}ifNull(toFloat64({{ part }}), 0){{ " + " if not loop.last }}{% endfor %}){% endset %}
    countIf({{ sum }} > 0 AND {{ whole }} IS NOT NULL) AS {{ whole }}_both, countIf({{ sum }} > {{ whole }}) AS {{ whole }}_less,
    {% endfor %}
    countIf(answered AND answers) AS outputs,
    countIf(answered AND answers AND (service_name, event_id) NOT IN (
        SELECT service_name, if(target_event_id = '', event_id, target_event_id)
        FROM guard_verdicts
        WHERE {% include "lately.sql" %} AND status = 'ok' AND verdict NOT IN ('', 'unknown')
    )) AS bare,
    countIf(outcome = 'error' OR (outcome = '' AND error_type != '')) AS failed
FROM inferences
WHERE {% include "lately.sql" %}

GROUP BY service_name
ORDER BY calls DESC, service
LIMIT {most:UInt32}
