SELECT service_name, tenant_id, model_version, sampling_method, sampling_probability, queue,
    toUnixTimestamp64Nano(time) AS queued_at
FROM review_items FINAL WHERE target_event_id = {event:String}
ORDER BY sampling_method = 'stratified' DESC, event_id LIMIT 1
