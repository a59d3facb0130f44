SELECT toUnixTimestamp(minute) AS place, service_name, {% include "rollup_sums.sql" %}, max(version) AS version
FROM service_minutes AS own FINAL
WHERE {% include "place.sql" %}

    AND minute >= fromUnixTimestamp({first:Int64}) AND minute < fromUnixTimestamp({end:Int64})
GROUP BY place, service_name
