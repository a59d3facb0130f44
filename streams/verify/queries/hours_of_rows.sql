SELECT toUnixTimestamp(toStartOfHour(minute)) AS place, {% include "row_sums.sql" %}

FROM ({% include "minute_rows.sql" %})
GROUP BY place
