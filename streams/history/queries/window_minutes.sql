{% import "windows.sql" as windows %}
INSERT INTO window_minutes
SELECT
    toStartOfMinute(time)::DateTime('UTC') AS minute, group.service_name AS service_name, sum(group.events),
    sum({{ windows.trials }}), sum({{ windows.flagged }}),
    source_topic_id, source_partition, {% include "writer.sql" %}
FROM window_messages FINAL
ARRAY JOIN {{ windows.groups }} AS group
WHERE source_topic_id IN {sources:Array(String)} AND {% include "place.sql" %} AND tick IN {ticks:Array(Int64)}
    AND time >= ({% set of = "events" %}{% include "kept.sql" %})
GROUP BY kafka_partition, minute, service_name, source_topic_id, source_partition
