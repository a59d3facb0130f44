SELECT toString(stored.partition) AS partition,
    toFloat64(max(greatest(0, dateDiff('second', greatest(counted.until, toDateTime($__fromTime, 'UTC')), stored.newest)))) AS value
FROM (
    SELECT kafka_topic_id AS topic_id, kafka_partition AS partition, max(minute) AS newest
    FROM service_minutes WHERE minute >= $__fromTime AND minute <= $__toTime GROUP BY topic_id, partition
) AS stored
LEFT JOIN (
    SELECT source_topic_id AS topic_id, source_partition AS partition,
        max(toDateTime(window_messages.time, 'UTC') + INTERVAL tick_seconds SECOND) AS until
    FROM window_messages WHERE window_messages.time >= $__fromTime AND window_messages.time <= $__toTime GROUP BY topic_id, partition
) AS counted ON counted.topic_id = stored.topic_id AND counted.partition = stored.partition
GROUP BY partition
ORDER BY partition
