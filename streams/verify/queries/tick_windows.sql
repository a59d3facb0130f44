{% import "streams.history/windows.sql" as windows %}
SELECT {% include "tick_place.sql" %}, sum(e) AS events, sum(t) AS trials, sum(f) AS flagged
FROM (
    SELECT tick, group.service_name AS service_name, group.events AS e, {{ windows.trials }} AS t, {{ windows.flagged }} AS f
    FROM window_messages FINAL ARRAY JOIN {{ windows.groups }} AS group
    WHERE {% include "span.sql" %}

)
GROUP BY ALL
