-- Rates of agents; with them there are more rates than sixteen bits hold.
{% for table in ["inferences", "agent_steps", "retrievals", "guard_verdicts"] %}
ALTER TABLE {{ table }} MODIFY COLUMN trials UInt32, MODIFY COLUMN flagged UInt32;
{% endfor %}
{% for unit in ["minutes", "hours"] %}
ALTER TABLE service_{{ unit }}
    ADD COLUMN goal_hijack_trials UInt64 AFTER quality,
    ADD COLUMN goal_hijack UInt64 AFTER goal_hijack_trials,
    ADD COLUMN memory_poisoning_trials UInt64 AFTER goal_hijack,
    ADD COLUMN memory_poisoning UInt64 AFTER memory_poisoning_trials,
    ADD COLUMN inter_agent_trials UInt64 AFTER memory_poisoning,
    ADD COLUMN inter_agent UInt64 AFTER inter_agent_trials,
    ADD COLUMN privilege_abuse_trials UInt64 AFTER inter_agent,
    ADD COLUMN privilege_abuse UInt64 AFTER privilege_abuse_trials;
{% endfor %}
