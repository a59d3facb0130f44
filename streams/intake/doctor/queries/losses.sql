SELECT
    toString(service_name) AS service, sum(ifNull(dropped, 0)) AS dropped_events, sum(ifNull(refused, 0)) AS refused_events,
    arraySlice(arraySort(groupUniqArrayIf(reason, reason != '')), 1, 3) AS reasons
FROM telemetry
WHERE time >= now() - toIntervalSecond({seconds:UInt32}) AND (dropped > 0 OR refused > 0)
GROUP BY service
ORDER BY dropped_events + refused_events DESC, service
LIMIT {most:UInt32}
