SELECT
    toString(service_name) AS service, toString(guard_name) AS guard, count() AS given,
    countIf(level = 4) AS critical, countIf(level % 2 = 0) AS even,
    max(positionCaseInsensitive(concat(taxonomy, ' ', toString(guard_name)), 'azure') > 0) AS azure
FROM guard_verdicts
ARRAY JOIN findings_severity AS level, findings_native_taxonomy AS taxonomy
WHERE {% include "lately.sql" %} AND ifNull(level, 0) != 0
GROUP BY service, guard
HAVING critical > 0
ORDER BY critical DESC, service, guard
LIMIT {most:UInt32}
