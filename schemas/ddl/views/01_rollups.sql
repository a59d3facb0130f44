-- The rollups summed over their writers. An output is unsafe where it is harmful on any axis; the rates that detectors
-- watch leave leaks and injections out of `unsafe_...`, which have rates of their own.
{% macro rate_sums() -%}
{% for rate in rates %}
    sum({{ rate }}_trials) AS {{ rate }}_trials,
    {%- if rate == "unsafe_attempted" %} {{ attempted("unsafe_by_harm") }}
    {%- elif rate == "unsafe_served" %} {{ served("unsafe_by_harm") }}
    {%- else %} sum({{ rate }}){% endif %} AS {{ rate }},
{% endfor %}
{%- endmacro %}
{% macro harm_sums() -%}
    sumMap(safety_by_harm) AS safety_by_harm, sumMap(security_by_harm) AS security_by_harm,
    sumMap(unsafe_by_harm) AS unsafe_by_harm
{%- endmacro %}

CREATE OR REPLACE VIEW service_minutes_now AS
SELECT
    minute, tenant_id, service_name, model_version,
    sum(events) AS events, sum(calls) AS calls, sumMap(limited) AS limited,
    {{ rate_sums() }}
    sum(guard_ok) AS guard_ok, sum(guard_not_ok) AS guard_not_ok, sum(uncovered) AS uncovered,
    sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens, sumMap(latency_bins) AS latency_bins,
    {{ harm_sums() }}
FROM service_minutes FINAL
GROUP BY minute, tenant_id, service_name, model_version;

CREATE OR REPLACE VIEW service_hours_now AS
SELECT
    hour, tenant_id, service_name, model_version,
    sum(events) AS events, sum(calls) AS calls, sumMap(limited) AS limited,
    {{ rate_sums() }}
    sum(guard_ok) AS guard_ok, sum(guard_not_ok) AS guard_not_ok, sum(uncovered) AS uncovered,
    sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens, sumMap(latency_bins) AS latency_bins,
    sumMap(outputs_by_guards) AS outputs_by_guards, sumMap(served_by_guards) AS served_by_guards,
    sumMap(unsafe_by_severity) AS unsafe_by_severity,
    {{ harm_sums() }}
FROM service_hours FINAL
GROUP BY hour, tenant_id, service_name, model_version;

-- Who was turned away by which limit, and whether it fell on one tenant more than on its peers: `share` beside
-- `share_of_service`, which is that of all tenants of the service in the hour.
CREATE OR REPLACE VIEW limits AS
SELECT
    hour, tenant_id, service_name, model_version, kind AS limited_by, turned_away AS limited, calls, turned_away / calls AS share,
    (sum(turned_away) OVER (PARTITION BY hour, service_name, kind)) / all_calls AS share_of_service
FROM (
    SELECT
        hour, tenant_id, service_name, model_version, sum(calls) AS calls, sumMap(limited) AS turned_away_by,
        sum(calls) OVER (PARTITION BY hour, service_name) AS all_calls
    FROM service_hours FINAL
    GROUP BY hour, tenant_id, service_name, model_version
)
ARRAY JOIN mapKeys(turned_away_by) AS kind, mapValues(turned_away_by) AS turned_away
WHERE calls > 0;

CREATE OR REPLACE VIEW category_minutes_now AS
SELECT
    minute, tenant_id, service_name, model_version, category, {{ axis_of_category("category") }} AS axis, layer,
    sum(findings) AS findings, sum(stopped) AS stopped
FROM category_minutes FINAL
GROUP BY minute, tenant_id, service_name, model_version, category, layer;

-- A probe that no guard saw was missed, unless an error, a quota or a time-out kept the service from judging it.
CREATE OR REPLACE VIEW probes_now AS
SELECT
    probes.probe_id AS probe_id, probes.service_name AS service_name, argMin(probes.model_version, probes.minute) AS model_version,
    min(probes.minute) AS minute, max(toString(probes.family)) AS family, any(whole.seen) > 0 AS detected,
    multiIf(detected, 'detected', any(whole.all_failed) > 0 AND any(whole.all_answered) = 0, 'unreachable', 'missed') AS state
FROM (SELECT * FROM probe_minutes FINAL WHERE sent > 0) AS probes
INNER JOIN (
    SELECT probe_id, sum(detections) AS seen, sum(answered) AS all_answered, sum(failed) AS all_failed
    FROM probe_minutes FINAL GROUP BY probe_id
) AS whole ON whole.probe_id = probes.probe_id
GROUP BY probe_id, service_name;
