SELECT service_name, guard_name, layer, hazard, labels, precision, precision_lower, precision_upper,
    recall, recall_lower, recall_upper, flagged_events, caught, wrong, wrong_lower, wrong_upper,
    missed, missed_lower, missed_upper
FROM guard_quality(
    since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}, known_at={known:DateTime('UTC')}
)
WHERE labels > 0
ORDER BY service_name, guard_name, layer, hazard
