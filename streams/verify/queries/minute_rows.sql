{% for table, events in tables %}
SELECT toStartOfMinute(time)::DateTime('UTC') AS minute, service_name, trials AS t, flagged AS f, kafka_offset
FROM {{ table }} FINAL
WHERE {% include "place.sql" %} AND probe_id = '' {{ events }}
    AND time >= fromUnixTimestamp({first:Int64}) AND time < fromUnixTimestamp({end:Int64})
{{ "UNION ALL" if not loop.last }}
{% endfor %}
