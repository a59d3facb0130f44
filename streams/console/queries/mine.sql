SELECT
    countIf(annotator_pseudo_id = {reviewer:String}) AS labels,
    countIf(annotator_pseudo_id = {reviewer:String} AND of_today) AS today, countIf(of_today) AS everybody_today,
    uniqExact(target_event_id) AS labelled,
    (SELECT uniqExact(target_event_id) FROM review_items FINAL) AS items
FROM (
    SELECT *, said_at >= toStartOfDay(toDateTime({now:DateTime('UTC')}, 'UTC')) AS of_today
    FROM labels_known(known_at='2106-01-01 00:00:00')
)
WHERE annotator_kind = 'human'
