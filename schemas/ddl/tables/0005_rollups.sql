-- By minute or hour and Kafka partition, recomputed from the rows of that partition alone: one writer for each row.
{% set rates = [
    "unsafe_attempted", "unsafe_served", "injection_flag", "leak", "refusal", "error", "denied_tool", "over_refusal",
    "guard_failure",
] %}

{%- for unit, time in [("minutes", "minute"), ("hours", "hour")] %}
CREATE TABLE service_{{ unit }}
(
    {{ time }} DateTime('UTC'),
    {{ group() }},
    events UInt64,
    calls UInt64,
    {%- for rate in rates %}
    {{ rate }}_trials UInt64,
    {{ rate }} UInt64,
    {%- endfor %}
    guard_ok UInt64,
    guard_not_ok UInt64,
    uncovered UInt64,
    input_tokens UInt64,
    output_tokens UInt64,
    latency_bins Map(Int32, UInt64),
    outputs_by_guards Map(String, UInt64),
    served_by_guards Map(String, UInt64),
    unsafe_by_severity Map(UInt8, UInt64),
    {{ recomputed() }}
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM({{ time }})
ORDER BY (kafka_topic_id, kafka_partition, {{ time }}, tenant_id, service_name, model_version);

CREATE TABLE stage_{{ unit }}
(
    {{ time }} DateTime('UTC'),
    {{ group() }},
    stage LowCardinality(String),
    judged UInt64,
    failed UInt64,
    bins Map(Int32, UInt64),
    {{ recomputed() }}
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM({{ time }})
ORDER BY (kafka_topic_id, kafka_partition, {{ time }}, tenant_id, service_name, model_version, stage);
{% endfor %}
CREATE TABLE category_minutes
(
    minute DateTime('UTC'),
    {{ group() }},
    category LowCardinality(String),
    layer LowCardinality(String),
    findings UInt64,
    stopped UInt64,
    {{ recomputed() }}
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(minute)
ORDER BY (kafka_topic_id, kafka_partition, minute, tenant_id, service_name, model_version, category, layer);

CREATE TABLE probe_minutes
(
    minute DateTime('UTC'),
    {{ group() }},
    probe_id String,
    sent UInt64,
    detections UInt64,
    {{ recomputed() }}
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(minute)
ORDER BY (kafka_topic_id, kafka_partition, minute, tenant_id, service_name, model_version, probe_id);
