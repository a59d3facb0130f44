SELECT countIf(trial) AS requests, countIf(flag) AS flagged, uniqExactIf(session, flag AND session != '') AS sessions,
    uniqExactIf(user_pseudo_id, flag AND user_pseudo_id != '') AS users,
    uniqExactIf(tenant_id, flag AND tenant_id != '') AS tenants, toString(max(time)) AS stored_until
FROM (
{% include source %}
)
