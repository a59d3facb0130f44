SELECT service_name, stratum, flagged, sum(1 / propensity) AS events, countIf(unsafe IS NOT NULL) AS labelled,
    sum(ifNull(unsafe, 0)) AS found
FROM (
    SELECT reviewed.service_name AS service_name, reviewed.stratum AS stratum, reviewed.propensity AS propensity,
        reviewed.unsafe AS unsafe, items.flagged AS flagged
    FROM reviewed_items(known_at={known:DateTime('UTC')}) AS reviewed
    INNER JOIN (
        SELECT target_event_id, any(ifNull(flagged, false)) AS flagged FROM review_items FINAL GROUP BY target_event_id
    ) AS items ON items.target_event_id = reviewed.target_event_id
    WHERE reviewed.time >= {since:DateTime('UTC')} AND reviewed.time < {until:DateTime('UTC')}
)
GROUP BY service_name, stratum, flagged ORDER BY service_name, stratum, flagged
