-- Calls that a limit turned away, by what kind of limit it was.
{% for unit in ["minutes", "hours"] %}
ALTER TABLE service_{{ unit }} ADD COLUMN limited Map(String, UInt64) AFTER calls;
{% endfor %}
