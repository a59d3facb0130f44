{% include "harmed.sql" %}
SELECT count() AS traces, sum(bad) AS harms, max(bad) AS most, sum(cost) AS cost_usd, uniqExactArray(users) AS users,
    uniqExactArray(tenants) AS tenants, arraySort(groupUniqArrayArray(services)) AS services,
    arraySort(groupUniqArrayArray(agents)) AS agents, arraySort(groupUniqArrayArray(tools)) AS tools,
    sumMap([origin], [1]) AS origins
FROM (
    SELECT countIf(harm) AS bad, sumOrNull(cost_usd) AS cost, groupUniqArray(toString(service_name)) AS services,
        groupUniqArrayIf(user_pseudo_id, user_pseudo_id != '') AS users,
        groupUniqArrayIf(toString(tenant_id), tenant_id != '') AS tenants,
        groupUniqArrayIf(toString(agent_name), agent_name != '') AS agents,
        groupUniqArrayIf(toString(name), step AND name != '') AS tools,
        argMinIf(concat(if(agent_name != '', agent_name, service_name), ': ', if(name != '', name, what)), (time, event_id),
            start) AS origin
    FROM (
{% include "of_traces.sql" %}
    ) GROUP BY trace_id HAVING countIf(step) > 0
)
