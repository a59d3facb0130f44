SELECT
    toString(service_name) AS service, if(guard_name = '', 'all', guard_name) AS guard, if(layer = '', 'all', layer) AS on_layer,
    if(hazard = '', 'anything harmful', hazard) AS hazard_seen, labels, precision, precision_lower AS precision_from,
    precision_upper AS precision_to, recall, recall_lower AS recall_from, recall_upper AS recall_to,
    round(missed) AS missed_events
FROM guard_quality(
    since=toStartOfHour(toDateTime($__fromTime, 'UTC')), until=toDateTime($__toTime, 'UTC'), step=31536000,
    known_at=toDateTime($__toTime, 'UTC')
)
WHERE service_name IN (${service:singlequote}) AND (precision IS NOT NULL OR recall IS NOT NULL)
ORDER BY service, guard, on_layer, hazard_seen
