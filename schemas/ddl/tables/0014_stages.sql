-- Time of a stage summed, and its square, for shares of it; and in how many events a category was found.
{% for unit in ["minutes", "hours"] %}
ALTER TABLE stage_{{ unit }}
    ADD COLUMN total_ms Float64 AFTER bins,
    ADD COLUMN squared_ms Float64 AFTER total_ms;
{% endfor %}
ALTER TABLE category_minutes ADD COLUMN events UInt64 DEFAULT findings AFTER stopped;
