{% for table, events in tables %}
SELECT count() AS n FROM {{ table }}
WHERE {% include "place.sql" %} AND probe_id = ''
    AND counted_time >= fromUnixTimestamp64Second({closed:Int64}, 'UTC') {{ events }}
{{ "UNION ALL" if not loop.last }}
{% endfor %}
