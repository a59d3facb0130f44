SELECT service_name, value, lower, upper
FROM kpi_reviewed(
    since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}, versions=0,
    known_at={known:DateTime('UTC')}
)
WHERE kpi = 'unsafe_reviewed' AND value IS NOT NULL
