SELECT *, 1 AS trial, 1 AS flag, if(bitTest(flagged, {{ unsafe_served }}), true, reached_user) AS arrived
FROM (
    SELECT *, count() OVER (PARTITION BY trace_id) AS of_trace
    FROM rated_events
    WHERE {% include "in_time.sql" %} AND trace_id != '' AND bitAnd(flagged, {unsafe:UInt32}) > 0
)
WHERE of_trace > 1
