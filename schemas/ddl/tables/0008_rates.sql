-- Rates that came later; a verdict that travels alone is flagged in its own minute and a trial in none.
ALTER TABLE agent_steps ADD COLUMN unsafe_severity UInt8 AFTER probe_id;
{% for unit in ["minutes", "hours"] %}
ALTER TABLE service_{{ unit }}
    ADD COLUMN blocked_trials UInt64 AFTER guard_failure,
    ADD COLUMN blocked UInt64 AFTER blocked_trials,
    ADD COLUMN filtered_trials UInt64 AFTER blocked,
    ADD COLUMN filtered UInt64 AFTER filtered_trials,
    ADD COLUMN failing_tool_trials UInt64 AFTER filtered,
    ADD COLUMN failing_tool UInt64 AFTER failing_tool_trials,
    ADD COLUMN prompt_pii_trials UInt64 AFTER failing_tool,
    ADD COLUMN prompt_pii UInt64 AFTER prompt_pii_trials,
    ADD COLUMN quality_trials UInt64 AFTER prompt_pii,
    ADD COLUMN quality UInt64 AFTER quality_trials;
{% endfor %}