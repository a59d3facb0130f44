-- The trust of each hour is judged every ten seconds instead of by every query: planning that join took most of the time
-- of a board. Guard coverage and exposure of all versions together come with it. `judged_at` says when; the rule about
-- the store watches that it goes on.
CREATE MATERIALIZED VIEW trust_hours_judged REFRESH AFTER 10 SECOND TO trust_hours AS
SELECT
    trusts.window_start AS window_start, trusts.service_name AS service_name, events, outputs, covered,
    guards.served AS served, guards.exposed AS exposed, late, lost, dead_letters, trust, trust_reason, guard_trust,
    guard_trust_reason, now('UTC') AS judged_at
FROM kpi_trust AS trusts
LEFT JOIN (
    SELECT hour, service_name, sum(guarded.served) AS served, sum(guarded.exposed) AS exposed
    FROM guard_hours_now AS guarded GROUP BY hour, service_name
) AS guards ON guards.hour = trusts.window_start AND guards.service_name = trusts.service_name
COMMENT 'Judges the trust of each hour every ten seconds, into `trust_hours`';
