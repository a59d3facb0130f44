{# Without FINAL, which reads the keys of all that is stored: a row that was stored twice is told by where it came from. #}
SELECT guard_name, layer, status, verdict, action, findings_category AS categories
FROM guard_verdicts WHERE event_id = {event:String} OR target_event_id = {event:String} ORDER BY layer, guard_name
LIMIT 1 BY kafka_topic_id, kafka_partition, kafka_offset, kafka_index
