SELECT
    service_name AS service, if(data_source_id = '', '(none)', data_source_id) AS source, searches, empty_share, best_score, documents,
    distinct_documents, unvetted_share, unsaid_share, stale_share, injections, arrayStringConcat(index_versions, ', ') AS indexes
FROM source_quality(since=toDateTime($__fromTime, 'UTC'), until=toDateTime($__toTime, 'UTC'))
WHERE service_name IN (${service:singlequote})
ORDER BY searches DESC, service, source
LIMIT 50
