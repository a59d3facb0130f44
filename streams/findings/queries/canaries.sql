SELECT
    change_id, service_name AS service,
    if(subject_type = 'prompt' AND position(to_version, '@') = 0, concat(subject_name, '@', to_version), to_version) AS candidate, anyLastIf(from_version, from_version != '') AS stable,
    argMax(action, time) AS step, argMax(gate_result, time) AS result, argMax(reason, time) AS why,
    formatDateTime(minIf(time, action = 'started'), '%FT%TZ') AS began
FROM changes FINAL
WHERE gate_name = 'canary'
GROUP BY change_id, service, candidate
ORDER BY service, began, candidate
