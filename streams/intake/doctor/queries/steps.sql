SELECT toString(service_name) AS service, count() AS steps, toUnixTimestamp64Nano(max(time)) AS newest, {% include "late.sql" %}

FROM agent_steps
WHERE {% include "lately.sql" %}

GROUP BY service_name
ORDER BY steps DESC, service
LIMIT {most:UInt32}
