SELECT {% include "tick_place.sql" %}, 0 AS events, sum(windows.events) AS trials, sum(flagged_events) AS flagged
FROM windows FINAL
WHERE {% include "span.sql" %} AND metric != 'cascade'
GROUP BY place
