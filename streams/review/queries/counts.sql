SELECT service_name, stratum, sum(1 / propensity) AS events, countIf(unsafe IS NOT NULL) AS labelled,
    sum(ifNull(unsafe, 0)) AS found
FROM reviewed_items(known_at={known:DateTime('UTC')})
WHERE time >= {since:DateTime('UTC')} AND time < {until:DateTime('UTC')}
GROUP BY service_name, stratum ORDER BY service_name, stratum
