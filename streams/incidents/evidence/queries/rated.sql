SELECT *, bitTest(trials, {bit:UInt8}) AS trial, bitTest(flagged, {bit:UInt8}) AS flag
FROM rated_events
WHERE {% include "in_time.sql" %}
