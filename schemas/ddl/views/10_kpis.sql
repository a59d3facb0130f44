-- Every KPI in windows of `step` seconds, by version or not, as known at a moment; one row each where the step is the
-- whole period. Shares are of the counts of the period, never means of shares of hours.
CREATE OR REPLACE VIEW kpis AS
{{ kpis_of(
    "{since:DateTime('UTC')}", "{until:DateTime('UTC')}", "{step:UInt32}", "{versions:UInt8}", "{objective:Float64}",
    "{known_at:DateTime('UTC')}", "{until:DateTime('UTC')}"
) }};

-- What KPIs say of each axis by itself, safety or security or quality: those that lie on one, and those that take them
-- together (`axis` is empty in `kpis`) taken apart. An output that is harmful on two axes is in both.
CREATE OR REPLACE VIEW kpis_by_axis AS
SELECT * FROM (
{{ kpis_of(
    "{since:DateTime('UTC')}", "{until:DateTime('UTC')}", "{step:UInt32}", "{versions:UInt8}", "{objective:Float64}",
    "{known_at:DateTime('UTC')}", "{until:DateTime('UTC')}"
) }}) WHERE axis != ''
{% for view in ["kpi_axis_outputs(" ~ by_version ~ ", objective={objective:Float64})",
    "kpi_axis_uptimes(" ~ by_version ~ ", objective={objective:Float64})", "kpi_axis_durations(" ~ windows ~ ")"] %}
UNION ALL
SELECT kpi, apart.part AS axis, '' AS part, {{ kpi_measures }} FROM {{ view }} AS apart
{% endfor %}
UNION ALL
SELECT kpi, axis, part, {{ kpi_measures }} FROM kpi_axis_burn_rates(objective={objective:Float64}, at={until:DateTime('UTC')});

-- Every KPI by the hour and version, since ever; the burn rate at the newest minute.
CREATE OR REPLACE VIEW kpis_hourly AS
{{ kpis_of(
    "'2020-01-01 00:00:00'", "'2106-01-01 00:00:00'", "3600", "1", objective | string, "'2106-01-01 00:00:00'",
    "(SELECT max(minute) FROM service_minutes) + INTERVAL 1 MINUTE"
) }};

-- Every KPI over the seven days up to the newest hour, one row for each service and part: for a first look.
CREATE OR REPLACE VIEW kpis_last_7_days AS
{% set end = "(SELECT max(hour) FROM service_hours) + INTERVAL 1 HOUR" %}
{{ kpis_of(end ~ " - INTERVAL 7 DAY", end, "604800", "0", objective | string, end, end) }};
