{% set time = "counted" %}
INSERT INTO counted_hours
SELECT
    toStartOfHour(counted) AS hour, service_name, sum(events), sum(trials), sum(flagged),
    {% include "writer.sql" %}
FROM counted_minutes FINAL
WHERE {% include "hours.sql" %}
GROUP BY kafka_partition, hour, service_name
