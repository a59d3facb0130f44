{% set time = "minute" %}
INSERT INTO service_hours (
    hour, tenant_id, service_name, model_version, events, calls, limited,
    {% for rate in rates %}
    {{ rate }}_trials, {{ rate }},
    {% endfor %}
    guard_ok, guard_not_ok, uncovered, input_tokens, output_tokens,
    latency_bins, outputs_by_guards, served_by_guards, unsafe_by_severity,
    safety_by_harm, security_by_harm, unsafe_by_harm, kafka_topic_id, kafka_partition, version
)
SELECT
    toStartOfHour(minute) AS hour, tenant_id, service_name, model_version, sum(events), sum(calls), sumMap(limited),
    {% for rate in rates %}
    sum({{ rate }}_trials), sum({{ rate }}),
    {% endfor %}
    sum(guard_ok), sum(guard_not_ok), sum(uncovered), sum(input_tokens), sum(output_tokens),
    sumMap(latency_bins), sumMap(outputs_by_guards), sumMap(served_by_guards), sumMap(unsafe_by_severity),
    sumMap(safety_by_harm), sumMap(security_by_harm), sumMap(unsafe_by_harm),
    {% include "writer.sql" %}
FROM service_minutes FINAL
WHERE {% include "hours.sql" %}
GROUP BY kafka_partition, hour, tenant_id, service_name, model_version
