SELECT service_name AS service, has_policy, has_guard, has_runbook, has_owner, have / 4 AS share
FROM governed_services
ORDER BY share, service
LIMIT 200
