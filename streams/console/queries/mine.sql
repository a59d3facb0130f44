SELECT count() AS labels, countIf(said_at >= toStartOfDay(toDateTime({now:DateTime('UTC')}, 'UTC'))) AS today
FROM labels_known(known_at='2106-01-01 00:00:00')
WHERE annotator_kind = 'human' AND annotator_pseudo_id = {reviewer:String}
