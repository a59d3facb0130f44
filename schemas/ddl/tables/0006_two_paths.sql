-- The two paths held against each other: what history stored (`counted_…`) and what watch counted (`window_…`), summed
-- by the start of the tick. Both read the same log by the same rule, so a closed tick holds the same on both sides.

CREATE TABLE counted_minutes
(
    minute DateTime('UTC'),
    counted DateTime('UTC'),
    service_name LowCardinality(String),
    {{ sums() }},
    {{ recomputed() }}
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(counted)
ORDER BY (kafka_topic_id, kafka_partition, counted, minute, service_name);

CREATE TABLE counted_hours
(
    hour DateTime('UTC'),
    service_name LowCardinality(String),
    {{ sums() }},
    {{ recomputed() }}
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(hour)
ORDER BY (kafka_topic_id, kafka_partition, hour, service_name);
{% for unit, time in [("minutes", "minute"), ("hours", "hour")] %}
CREATE TABLE window_{{ unit }}
(
    {{ time }} DateTime('UTC'),
    service_name LowCardinality(String),
    {{ sums() }},
    source_topic_id LowCardinality(String),
    source_partition Int32,
    {{ recomputed() }}
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM({{ time }})
ORDER BY (kafka_topic_id, kafka_partition, {{ time }}, source_topic_id, source_partition, service_name);
{% endfor %}
-- Up to where a path is whole: `closed` is the start of its first open tick. One row for each slot of five seconds, of
-- four in turn: a reader that leaves out the freshest never knows of a tick before it sees its sums.

CREATE TABLE horizons
(
    path LowCardinality(String),
    source_topic_id LowCardinality(String),
    source_partition Int32,
    kafka_partition Int32,
    slot UInt8 DEFAULT intDiv(toUnixTimestamp(now()), 5) % 4,
    noted_at SimpleAggregateFunction(max, DateTime('UTC')) DEFAULT now('UTC'),
    partitions SimpleAggregateFunction(max, Int32),
    first_offset SimpleAggregateFunction(min, Int64),
    first_time SimpleAggregateFunction(min, DateTime('UTC')),
    closed SimpleAggregateFunction(max, DateTime('UTC'))
)
ENGINE = AggregatingMergeTree
ORDER BY (path, source_topic_id, source_partition, kafka_partition, slot);
