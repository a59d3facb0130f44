SELECT
    finding_id, kind, severity,
    formatDateTime(detected_time, '%FT%TZ') AS detected_ts,
    if(isNull(onset_time), '', formatDateTime(assumeNotNull(onset_time), '%FT%TZ')) AS onset_ts,
    service_name AS service, tenant_id AS tenant, model_version, metric, family, detector, direction,
    e_value, promise, rate, rate_lower, rate_upper, baseline, sample_size, flagged,
    versions, tenants, changes, evidence, evidence_sql, opened_finding_id
FROM findings FINAL
WHERE NOT mapContains(details, 'look')
ORDER BY detected_time, finding_id
