-- What holds most calls of a service, by each field that names a session; without traces each call counts as one.
SELECT
    toString(service_name) AS service, field, argMax(name, calls) AS held, max(calls) AS most, sum(calls) AS named,
    argMax(parts, calls) AS traces
FROM (
    SELECT
        service_name, session.1 AS field, session.2 AS name, count() AS calls,
        uniq(if(trace_id = '', event_id, trace_id)) AS parts
    FROM inferences
    ARRAY JOIN [{% for field in sessions %}('{{ field }}', {{ field }}){{ ", " if not loop.last }}{% endfor %}] AS session
    WHERE {% include "lately.sql" %} AND name != ''
    GROUP BY service_name, field, name
)
GROUP BY service_name, field
ORDER BY named DESC, service, field
LIMIT {most:UInt32}
