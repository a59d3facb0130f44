{% set counts = "toStartOfMinute(toDateTime(intDiv(toUnixTimestamp64Nano(counted_time), 1000000000 * {tick:Int64}) * {tick:Int64}, 'UTC'))" %}
-- By the minute they happened in too, because all events of such a minute are read at once.
INSERT INTO counted_minutes
SELECT
    toStartOfMinute(time) AS minute,
    {{ counts }} AS counted,
    service_name, count(), sum(bitCount(trials)), sum(bitCount(flagged)),
    {% include "writer.sql" %}
FROM (
    {% for table, events in tables %}
    SELECT kafka_partition, time, counted_time, service_name, trials, flagged FROM {{ table }} {{ final }}
    WHERE {% include "minutes.sql" %} AND probe_id = '' AND counted_time > toDateTime64(0, 9, 'UTC') {{ events }}
    {{ "UNION ALL" if not loop.last }}
    {% endfor %}
)
GROUP BY kafka_partition, minute, counted, service_name
