SELECT if(count() = 0, NULL, toFloat64(dateDiff('second', max(minute), toDateTime($__toTime, 'UTC')))) AS value
FROM service_minutes
WHERE minute >= $__toTime - INTERVAL 30 DAY AND minute <= $__toTime
