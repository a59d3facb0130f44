SELECT formatDateTime(window_start, '%H:%i') AS hour, value, trust, trust_reason
FROM kpi_output_shares(
    since=parseDateTimeBestEffort({since:String}), until=parseDateTimeBestEffort({until:String}), step=3600, versions=0)
WHERE kpi = 'unsafe_served' AND service_name = {service:String}
ORDER BY window_start
