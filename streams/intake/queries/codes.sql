-- A category has been known of for longer where the minutes of findings go back further.
SELECT seen.*, if(known.since > 0 AND known.since < seen.first_seen, known.since, seen.first_seen) AS known_since
FROM unknown_codes(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}) AS seen
LEFT JOIN (
    SELECT category, service_name, min(minute) AS since FROM category_minutes_now GROUP BY category, service_name
) AS known ON known.category = seen.code AND known.service_name = seen.service_name AND seen.field = 'finding.category'
WHERE {service:String} = '' OR seen.service_name = {service:String}
ORDER BY times DESC, field, code, service_name
