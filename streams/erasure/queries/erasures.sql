SELECT
    event_id, source, toUnixTimestamp64Nano(time) AS time_unix_nano, service_name, subject, subject_hash, key_id, actor_id,
    reason, runs.number AS runs, runs.last AS last
FROM erasures FINAL
LEFT JOIN (
    SELECT erasure_id, count() AS number, toUnixTimestamp(max(ran_at)) AS last FROM erasure_runs GROUP BY erasure_id
) AS runs ON runs.erasure_id = event_id
ORDER BY time, event_id
