{# Where a rate says itself what was served, that is known; of a security hazard, where nothing stopped it. -#}
SELECT *, bitTest(trials, {bit:UInt8}) AS trial, bitTest(flagged, {bit:UInt8}) AS flag,
    multiIf({bit:UInt8} IN ({{ unsafe_attempted }}, {{ unsafe_served }}), bitTest(flagged, {{ unsafe_served }}),
        {bit:UInt8} IN ({{ leak }}, {{ injection_flag }}) AND security_harm > 0, security_harm > 1, reached_user) AS arrived
FROM rated_events
WHERE {% include "in_time.sql" %}
