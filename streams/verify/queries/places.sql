SELECT
    kafka_topic_id AS topic_id, kafka_partition AS partition, min(kafka_offset) AS first, max(kafka_offset) AS last,
    toUnixTimestamp(min(time)) AS from, toUnixTimestamp(max(time)) AS until,
    toUnixTimestamp(minIf(counted_time, known AND counts)) AS counted_from,
    toUnixTimestamp(maxIf(counted_time, known AND counts)) AS counted_until, countIf(counts AND NOT known) AS unknown
FROM (
    SELECT *, counted_time > toDateTime64(0, 9, 'UTC') AS known
    FROM (
        {% for table, events in tables %}
        SELECT kafka_topic_id, kafka_partition, kafka_offset, time, counted_time, probe_id = '' AS counts FROM {{ table }}
        WHERE kafka_topic = {topic:String} AND {% include "period.sql" %} {{ events }}
        UNION ALL
        {% endfor %}
        SELECT kafka_topic_id, kafka_partition, kafka_offset, time, counted_time, false AS counts FROM telemetry
        WHERE kafka_topic = {topic:String} AND {% include "period.sql" %}
    )
)
GROUP BY topic_id, partition ORDER BY topic_id, partition
