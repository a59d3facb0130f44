SELECT
    items.queue AS queue, toString(items.service_name) AS service, count() AS waiting, min(items.began) AS oldest,
    dateDiff('second', oldest, toDateTime64($__toTime, 3, 'UTC')) AS oldest_age
FROM (
    SELECT target_event_id, any(queue) AS queue, any(service_name) AS service_name, min(review_items.time) AS began
    FROM review_items FINAL GROUP BY target_event_id
) AS items
WHERE items.began <= $__toTime AND items.service_name IN (${service:singlequote})
    AND items.target_event_id NOT IN (SELECT target_event_id FROM review_labels FINAL WHERE annotator_kind = 'human')
GROUP BY queue, service
ORDER BY oldest
