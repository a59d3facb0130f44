SELECT countIf(trial) AS requests, countIf(flag) AS flagged, uniqExactIf(event_id, flag) AS outputs,
    uniqExactIf(session, flag AND session != '') AS sessions,
    uniqExactIf(user_pseudo_id, flag AND user_pseudo_id != '') AS users,
    uniqExactIf(tenant_id, flag AND tenant_id != '') AS tenants,
    countIf(flag AND ifNull(arrived, false)) AS reached, countIf(flag AND arrived IS NULL) AS unclear,
    toString(max(time)) AS stored_until
FROM (
{% include source %}
)
