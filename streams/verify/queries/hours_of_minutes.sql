SELECT toUnixTimestamp(toStartOfHour(minute)) AS place, {% include "rollup_sums.sql" %}

FROM service_minutes AS own FINAL
WHERE {% include "place.sql" %}

    AND minute >= fromUnixTimestamp({first:Int64}) AND minute < fromUnixTimestamp({end:Int64})
GROUP BY place
