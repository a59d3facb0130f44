SELECT
    toString(agent_name) AS agent, toString(service_name) AS service, sum(steps) AS steps,
    sum(denied_tool) / nullIf(sum(denied_tool_trials), 0) AS denied, sum(goal_hijack_trials) AS judged,
    sum(goal_hijack) / nullIf(judged, 0) AS goal_hijack, sum(memory_poisoning) / nullIf(judged, 0) AS memory_poisoning,
    sum(inter_agent) / nullIf(judged, 0) AS inter_agent, sum(privilege_abuse) / nullIf(judged, 0) AS privilege_abuse
FROM agent_hours
WHERE hour >= greatest($__fromTime, $__toTime - INTERVAL 1 DAY) AND hour <= $__toTime
    AND service_name IN (${service:singlequote})
GROUP BY agent, service
ORDER BY steps DESC, agent, service
LIMIT 50
