WITH
    (SELECT max(judged_at) FROM trust_hours) AS judged,
    if(count() = 0, NULL, toFloat64(dateDiff('second', max(minute), toDateTime($__toTime, 'UTC')))) AS age
SELECT if(age IS NULL, NULL, greatest(age, toFloat64(dateDiff('second', judged, toDateTime($__toTime, 'UTC'))))) AS value
FROM service_minutes
WHERE minute >= $__toTime - INTERVAL 30 DAY AND minute <= $__toTime
