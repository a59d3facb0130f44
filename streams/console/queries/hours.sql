SELECT
    service_name,
    groupArrayIf((toUInt32(window_start), value), window_start >= {until:DateTime('UTC')} - INTERVAL 24 HOUR) AS day,
    quantileExactIf(0.05)(ifNull(value, 0), value IS NOT NULL AND trust = 'trusted') AS low,
    quantileExactIf(0.95)(ifNull(value, 0), value IS NOT NULL AND trust = 'trusted') AS high,
    countIf(value IS NOT NULL AND trust = 'trusted') AS hours
FROM (
    SELECT service_name, window_start, value, trust
    FROM kpi_output_shares(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step=3600, versions=0)
    WHERE kpi = 'unsafe_served' AND has({services:Array(String)}, service_name)
    ORDER BY service_name, window_start
)
GROUP BY service_name
