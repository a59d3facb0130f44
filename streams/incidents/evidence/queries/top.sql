SELECT dimension, name, countIf(flag) AS flagged, countIf(trial) AS trials
FROM (
{% include source %}
) ARRAY JOIN
    ['service', 'tenant', 'version', 'user', 'agent'] AS dimension,
    [toString(service_name), toString(tenant_id), toString(model_version), user_pseudo_id, toString(agent_name)] AS name
WHERE name != '' GROUP BY dimension, name HAVING flagged > 0 ORDER BY flagged DESC, name LIMIT {most:UInt8} BY dimension
