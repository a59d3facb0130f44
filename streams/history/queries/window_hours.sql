{% set time = "minute" %}
INSERT INTO window_hours
SELECT
    toStartOfHour(minute) AS hour, service_name, sum(events), sum(trials), sum(flagged),
    source_topic_id, source_partition, {topic_id:String}, {partition:Int32}, {version:Int64}
FROM window_minutes FINAL
WHERE {% include "hours.sql" %}
GROUP BY hour, service_name, source_topic_id, source_partition
