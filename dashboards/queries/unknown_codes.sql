SELECT category, layer, sum(findings) AS found, uniqExact(service_name) AS services, max(minute) AS latest
FROM category_minutes_now
WHERE minute >= $__fromTime AND minute <= $__toTime AND service_name IN (${service:singlequote})
    AND category != '' AND NOT match(category, '^(content|sec|qual)[.]')
GROUP BY category, layer
ORDER BY found DESC, category, layer
LIMIT 20
