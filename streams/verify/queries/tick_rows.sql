{# Sums of rows by `place`, a tick or the hour it starts in. #}
SELECT {% include "tick_place.sql" %}, {% include "row_sums.sql" %}

FROM (
    {% for table, events in tables %}
    SELECT intDiv(toUnixTimestamp64Nano(counted_time), 1000000000 * {tick:Int64}) AS tick, service_name,
        trials AS t, flagged AS f
    FROM {{ table }} FINAL
    WHERE {% include "place.sql" %} AND probe_id = '' {{ events }}
        AND counted_time >= fromUnixTimestamp64Second({first:Int64}, 'UTC')
        AND counted_time < fromUnixTimestamp64Second({end:Int64}, 'UTC')
    {{ "UNION ALL" if not loop.last }}
    {% endfor %}
)
GROUP BY ALL
