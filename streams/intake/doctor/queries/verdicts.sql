-- The verdicts of each service: those that travel alone and meet no event, and those that object. Of events, only those that a
-- verdict names are remembered while it is asked.
WITH
    event_kind = 'guard_verdict' AS alone,
    status = 'ok' AND verdict != '' AS judged
SELECT
    toString(service_name) AS service, countIf(alone) AS travelling,
    countIf(alone AND target_id = '' {% for field, target in targets %}AND (service_name, {{ target }}) NOT IN (
        {% for table in ("inferences", "agent_steps") %}
        SELECT service_name, {{ field }} FROM {{ table }}
        WHERE {% include "lately.sql" %} AND {{ field }} != '' AND {{ field }} IN (
            SELECT {{ target }} FROM guard_verdicts WHERE {% include "lately.sql" %} AND event_kind = 'guard_verdict'
        ){{ " UNION ALL " if not loop.last }}
        {% endfor %}
    ){% endfor %}) AS lost,
    countIf(judged) AS judging, countIf(judged AND has({objections:Array(String)}, toString(verdict))) AS hits
FROM guard_verdicts
WHERE {% include "lately.sql" %}

GROUP BY service_name
ORDER BY count() DESC, service
LIMIT {most:UInt32}
