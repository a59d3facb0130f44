SELECT service_name, data_source_id, control_id, reason, actor_id, searches, documents, event_ids,
    toUnixTimestamp64Nano(assumeNotNull(first_time)) AS first_at
FROM source_quarantines
WHERE searches > 0
ORDER BY first_time
