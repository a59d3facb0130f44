SELECT
    service_name AS service, model_version AS version, category, evaluated_share, items, production_share, outputs, gap, gap_lower,
    gap_upper, newest AS evaluated
FROM evaluation_gaps(until=toDateTime($__toTime, 'UTC'))
WHERE service_name IN (${service:singlequote})
    AND $__conditionalAll(if(model_version = '', '(none)', model_version) IN (${version:singlequote}), $version)
ORDER BY gap DESC, service, category
LIMIT 100
