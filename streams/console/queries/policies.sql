SELECT
    policies.service_name AS service_name, tier, owner, runbook, required_guards, toUnixTimestamp64Nano(published_at) AS since,
    governed.have AS have
FROM service_policies_now AS policies
LEFT JOIN governed_services AS governed ON governed.service_name = policies.service_name
WHERE {service:String} = '' OR policies.service_name IN ('', {service:String})
ORDER BY policies.service_name
