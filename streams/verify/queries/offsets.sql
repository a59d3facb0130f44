{# Each offset from rows, and from dead letters. #}
SELECT o, 1 AS is_row
FROM (
    {% for table, events in tables %}
    SELECT kafka_offset AS o FROM {{ table }} {{ final }}
    WHERE {% include "place.sql" %} {{ events }} AND kafka_offset >= {first:Int64} AND kafka_offset < {end:Int64}
    {{ "UNION ALL" if not loop.last }}
    {% endfor %}
)
UNION ALL
SELECT o, 0 AS is_row
FROM (
    SELECT DISTINCT origin_offset AS o FROM dead_letters
    WHERE origin_topic_id = {topic_id:String} AND origin_partition = {partition:Int32}
        AND origin_offset >= {first:Int64} AND origin_offset < {end:Int64}
)
