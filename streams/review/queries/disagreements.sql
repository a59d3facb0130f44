SELECT
    target_event_id, any(service_name) AS service_name, groupArray((toString(annotator_pseudo_id), toString(label))) AS said,
    toUnixTimestamp(max(said_at)) AS newest, count() OVER () AS total
FROM (
    SELECT * FROM labels_known(known_at='2106-01-01 00:00:00')
    WHERE annotator_kind = 'human' AND label != 'cannot_judge' AND evaluation_name = {evaluation:String}
    ORDER BY said_at
)
GROUP BY target_event_id
HAVING uniqExact(label) > 1 AND 2 * arrayMax(arrayMap(word -> countEqual(said.2, word), said.2)) <= length(said)
ORDER BY newest DESC, target_event_id LIMIT {most:UInt32}
