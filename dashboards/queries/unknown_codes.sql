SELECT
    field, code, service_name AS service, times, first_seen AS since, last_seen AS latest,
    arrayStringConcat(guards, ', ') AS guards, arrayStringConcat(sources, ', ') AS sources
FROM unknown_codes(since=toDateTime($__fromTime, 'UTC'), until=toDateTime($__toTime, 'UTC') + INTERVAL 1 SECOND)
WHERE service_name IN (${service:singlequote})
ORDER BY times DESC, field, code
LIMIT 20
