SELECT window_start AS time, toString(service_name) AS service, trust, trust_reason, guard_trust, guard_trust_reason, events, late, lost, dead_letters
FROM trust_hours
WHERE window_start >= toStartOfHour($__fromTime) AND window_start <= $__toTime AND guard_trust = 'untrusted'
    AND service_name IN (${service:singlequote})
ORDER BY time DESC, service
LIMIT 200
