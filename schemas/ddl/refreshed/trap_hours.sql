-- The newest hours are looked at every five minutes, and what is found stays with the hour: older ones are not read again.
CREATE MATERIALIZED VIEW trap_hours_seen REFRESH AFTER 5 MINUTE APPEND TO trap_hours AS
SELECT hour, service_name, trap, now('UTC') AS judged_at FROM telemetry_traps
COMMENT 'Looks every five minutes for telemetry of the newest hours that means something else than it seems to, into `trap_hours`';
