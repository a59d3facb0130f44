SELECT target_event_id, service_name, model_version, tenant_id, sampling_method, sampling_probability, queue, reviewers,
    toUnixTimestamp64Nano(time) AS at
FROM review_items FINAL
ORDER BY time, target_event_id
