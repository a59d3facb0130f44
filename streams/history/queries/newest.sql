SELECT max(newest)
FROM (
    {% for table in tables %}
    SELECT max(toUnixTimestamp64Nano(if(counted_time > 0, counted_time, time))) AS newest FROM {{ table }}
    WHERE {% include "place.sql" %} AND kafka_offset < {first:Int64}
    {{ "UNION ALL" if not loop.last }}
    {% endfor %}
)
