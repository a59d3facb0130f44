-- Rows that the minute has been computed from, or must have been: what is written right now is in neither.
SELECT toUnixTimestamp(minute) AS place, service_name, {% include "row_sums.sql" %}

FROM ({% include "minute_rows.sql" %}) AS stored
LEFT JOIN (
    SELECT minute, max(version) AS version FROM service_minutes FINAL
    WHERE {% include "place.sql" %}

        AND minute >= fromUnixTimestamp({first:Int64}) AND minute < fromUnixTimestamp({end:Int64})
    GROUP BY minute
) AS rolled ON rolled.minute = stored.minute
WHERE kafka_offset < {committed:Int64} OR kafka_offset <= rolled.version
GROUP BY place, service_name
