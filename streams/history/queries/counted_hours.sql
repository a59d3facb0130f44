{% set time = "counted" %}
INSERT INTO counted_hours
SELECT
    toStartOfHour(counted) AS hour, service_name, sum(events), sum(trials), sum(flagged),
    {topic_id:String}, {partition:Int32}, {version:Int64}
FROM counted_minutes FINAL
WHERE {% include "hours.sql" %}
GROUP BY hour, service_name
