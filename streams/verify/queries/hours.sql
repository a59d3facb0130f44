SELECT toUnixTimestamp(hour) AS place, {% include "rollup_sums.sql" %}

FROM service_hours AS own FINAL
WHERE {% include "place.sql" %}

    AND hour >= fromUnixTimestamp({first:Int64}) AND hour < fromUnixTimestamp({end:Int64})
GROUP BY place
