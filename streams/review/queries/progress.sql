SELECT
    (SELECT uniqExact(target_event_id) FROM review_items FINAL) AS items,
    uniqExactIf(target_event_id, annotator_kind = 'human') AS labelled,
    countIf(annotator_kind = 'human' AND said_at >= {known:DateTime('UTC')} - INTERVAL 1 DAY) AS last_day,
    countIf(annotator_kind = 'human' AND label = 'cannot_judge') AS unsure,
    countIf(annotator_kind = 'human') AS judgements,
    countIf(annotator_kind = 'end_user') AS feedback,
    countIf(NOT known) AS unmatched
FROM (
    SELECT *, target_event_id IN (SELECT target_event_id FROM review_items FINAL)
        OR target_event_id IN (
            SELECT event_id FROM rated_events WHERE event_id IN (SELECT target_event_id FROM review_labels)
        ) AS known
    FROM labels_known(known_at={known:DateTime('UTC')})
)
