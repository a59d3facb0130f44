SELECT
    (SELECT count() FROM inferences) + (SELECT count() FROM agent_steps) + (SELECT count() FROM retrievals) AS stored,
    (SELECT sum(events) FROM service_minutes_now) AS rolled_up,
    (SELECT count() FROM dead_letters) AS dead_letters
