SELECT items.target_event_id AS target_event_id, items.target_kind AS target_kind, items.service_name AS service_name,
    items.tenant_id AS tenant_id, items.model_version AS model_version, formatDateTime(items.time, '%FT%TZ') AS queued,
    items.sampling_method AS sampling_method, items.sampling_probability AS sampling_probability,
    items.stratum AS stratum, items.flagged AS flagged, items.score AS score, items.risk AS risk,
    items.reviewers AS reviewers, said.readers AS readers
FROM (SELECT * FROM review_items FINAL WHERE queue = {queue:String}) AS items
LEFT JOIN (
    SELECT target_event_id, uniqExact(annotator_pseudo_id) AS readers, groupUniqArray(annotator_pseudo_id) AS who
    FROM labels_known(known_at='2106-01-01 00:00:00') WHERE annotator_kind = 'human' GROUP BY target_event_id
) AS said ON said.target_event_id = items.target_event_id
WHERE said.readers < items.reviewers AND NOT has(said.who, {reviewer:String})
ORDER BY items.time, items.target_event_id LIMIT {most:UInt32}
