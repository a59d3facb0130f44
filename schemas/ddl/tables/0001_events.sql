-- What services say. Every row carries where it came from; see schemas/tables.py.

CREATE TABLE inferences
(
    operation_name LowCardinality(String),
    provider_name LowCardinality(String),
    request_model LowCardinality(String),
    response_model LowCardinality(String),
    model_uri String,
    model_digest String,
    response_id String,
    prompt_name String,
    prompt_version String,
    request_temperature Nullable(Float64),
    request_top_p Nullable(Float64),
    request_max_tokens Nullable(Int64),
    request_stream Nullable(Bool),
    output_type String,
    finish_reasons Array(LowCardinality(String)),
    finish_reason_norm LowCardinality(String),
    outcome LowCardinality(String),
    outcome_source LowCardinality(String),
    usage_input_tokens Nullable(Int64),
    usage_output_tokens Nullable(Int64),
    usage_cache_read_input_tokens Nullable(Int64),
    usage_cache_write_input_tokens Nullable(Int64),
    usage_reasoning_output_tokens Nullable(Int64),
    cost_usd Nullable(Float64),
    duration_ms Nullable(Float64),
    time_to_first_chunk_ms Nullable(Float64),
    error_type LowCardinality(String),
    agent_name LowCardinality(String),
    agent_version String,
    workflow_name String,
    turn_index Nullable(Int64),
    input_hash String,
    output_hash String,
    system_hash String,
    input_chars Nullable(Int64),
    output_chars Nullable(Int64),
    input_lang String,
    output_lang String,
    content_ref String,
    input_vector String,
    input_text String,
    output_text String,
    capture_mode LowCardinality(String),
    reached_user Nullable(Bool),
    stage_latency_ingest_ms Nullable(Float64),
    stage_latency_retrieval_ms Nullable(Float64),
    stage_latency_inference_ms Nullable(Float64),
    stage_latency_approval_ms Nullable(Float64),
    stage_latency_action_ms Nullable(Float64),
    probe_id String,
    guards_ok Array(LowCardinality(String)),
    unsafe_severity UInt8,
    {{ envelope() }},
    {{ counted() }},
    {{ provenance() }}
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(time)
ORDER BY (kafka_partition, toStartOfMinute(time), kafka_topic_id, kafka_offset, kafka_index);

CREATE TABLE agent_steps
(
    step_kind LowCardinality(String),
    agent_name LowCardinality(String),
    agent_id String,
    agent_version String,
    main_agent_name String,
    workflow_name String,
    step_index Nullable(Int64),
    depth Nullable(Int64),
    tool_name LowCardinality(String),
    tool_type String,
    tool_call_id String,
    tool_tier LowCardinality(String),
    tool_server String,
    tool_protocol String,
    tool_definition_hash String,
    args_hash String,
    args_bytes Nullable(Int64),
    result_hash String,
    result_bytes Nullable(Int64),
    egress_host String,
    authorization LowCardinality(String),
    approver_kind LowCardinality(String),
    approval_wait_ms Nullable(Float64),
    taint_sources Array(LowCardinality(String)),
    status LowCardinality(String),
    error_type LowCardinality(String),
    duration_ms Nullable(Float64),
    inference_calls Nullable(Int64),
    tool_calls Nullable(Int64),
    data_classification_in String,
    data_classification_out String,
    probe_id String,
    {{ envelope() }},
    {{ counted() }},
    {{ provenance() }}
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(time)
ORDER BY (kafka_partition, toStartOfMinute(time), kafka_topic_id, kafka_offset, kafka_index);

CREATE TABLE retrievals
(
    data_source_id String,
    top_k Nullable(Int64),
    query_hash String,
    query_chars Nullable(Int64),
    documents_id Array(String),
    documents_score Array(Nullable(Float64)),
    documents_source_uri Array(String),
    documents_version Array(String),
    documents_content_hash Array(String),
    documents_trust Array(LowCardinality(String)),
    documents_ingested_at Array(Nullable(DateTime64(9, 'UTC'))),
    index_version String,
    embedding_model String,
    returned_count Nullable(Int64),
    score_max Nullable(Float64),
    score_mean Nullable(Float64),
    duration_ms Nullable(Float64),
    lineage_run_id String,
    probe_id String,
    {{ envelope() }},
    {{ counted() }},
    {{ provenance() }}
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(time)
ORDER BY (kafka_partition, toStartOfMinute(time), kafka_topic_id, kafka_offset, kafka_index);

CREATE TABLE guard_verdicts
(
    target_event_id String,
    target_id String,
    guard_name LowCardinality(String),
    layer LowCardinality(String),
    status LowCardinality(String),
    verdict LowCardinality(String),
    action LowCardinality(String),
    mode LowCardinality(String),
    fail_mode LowCardinality(String),
    guard_version String,
    guard_provider String,
    policy_id String,
    policy_version String,
    policy_rule_id String,
    native_source String,
    native_result_type String,
    native_result_value String,
    native_id String,
    mapping_version String,
    reason String,
    findings_category Array(String),
    findings_native_category Array(String),
    findings_native_taxonomy Array(String),
    findings_severity Array(Nullable(Int64)),
    findings_score Array(Nullable(Float64)),
    findings_score_kind Array(LowCardinality(String)),
    findings_score_bucket Array(String),
    findings_threshold Array(Nullable(Float64)),
    findings_entity_type Array(String),
    findings_count Array(Nullable(Int64)),
    latency_ms Nullable(Float64),
    chunk_index Nullable(Int64),
    stream_offset_chars Nullable(Int64),
    content_hash String,
    content_modified Nullable(Bool),
    event_kind LowCardinality(String),
    counted_version LowCardinality(String),
    counted_time DateTime64(9, 'UTC'),
    trials UInt16,
    flagged UInt16,
    finding_counts Array(UInt8),
    finding_stopped Array(UInt8),
    probe_id String,
    {{ envelope() }},
    {{ provenance() }}
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMMDD(time)
ORDER BY (kafka_partition, toStartOfMinute(time), kafka_topic_id, kafka_offset, kafka_index);

CREATE TABLE telemetry
(
    emitted Nullable(Int64),
    dropped Nullable(Int64),
    refused Nullable(Int64),
    reason String,
    reasons Map(LowCardinality(String), Int64),
    counted_time DateTime64(9, 'UTC'),
    {{ envelope() }},
    {{ provenance() }}
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (kafka_partition, toStartOfMinute(time), kafka_topic_id, kafka_offset, kafka_index);
