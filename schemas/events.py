"""What services say: the kinds of event that travel on ``inference.v1``.

Every optional field may be absent or null; both mean "not known". Readers ignore fields they do not know.
An event with a `probe_id` is an attack of our own (`watchkeeper probe`): it is stored, and counted in no rate of users.
No field carries prompt or answer text unless the producer fills `input_text` or `output_text` itself.
Names follow the OpenTelemetry GenAI vocabulary with dots turned to underscores.
"""

from msgspec import Struct

from .fields import (
    Content,
    Count,
    Identity,
    Index,
    Milliseconds,
    Name,
    Real,
    Reference,
    Seconds,
    UnixNano,
    Version,
    Word,
)
from .guards import GuardResult


class Envelope(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="event_type"):
    """Attributes of every event; `event_id` with `source` is its identity (CloudEvents 1.0)."""

    event_id: Identity
    source: Identity
    time_unix_nano: UnixNano
    service_name: Identity
    schema_version: Version | None = None
    observed_time_unix_nano: UnixNano | None = None
    ingest_dialect: Word | None = None
    semconv_schema_url: Reference | None = None
    tenant_id: Name | None = None
    service_version: Version | None = None
    service_namespace: Name | None = None
    environment: Name | None = None
    deployment_id: Name | None = None
    deployment_variant: Word | None = None
    model_version: Name | None = None
    trace_id: Name | None = None
    span_id: Name | None = None
    parent_span_id: Name | None = None
    conversation_id: Name | None = None
    session_id: Name | None = None
    user_pseudo_id: Name | None = None
    labels: dict[str, str] | None = None


class StageLatency(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Milliseconds spent in each stage of one request."""

    ingest: Milliseconds | None = None
    retrieval: Milliseconds | None = None
    inference: Milliseconds | None = None
    approval: Milliseconds | None = None
    action: Milliseconds | None = None


class Inference(Envelope, frozen=True, tag="ai.safety.inference.v1"):
    """One call of a model, with the verdicts of the guards that judged it.

    *Choices*: one call is one event, however many answers it gave (`choice_count`); the worst of them stands for it,
    and `finish_reasons` has one for each. *Attempts*: each is an event with its `attempt`, from 0; one that another
    followed is `superseded` and counts in no rate and as no call, though what it used is used. *Tokens*:
    `usage_input_tokens` are all that the model read, those of the cache among them, and `usage_output_tokens` all that
    it wrote, its reasoning among them. *Modalities*: images by number, sound and pictures by seconds; an answer in any
    of them is an output. *Batch jobs*: `batch_id` names the job, and the time of an event is when its result was there,
    so that it counts then; `duration_ms` of a job is left out. *Refusals*: `refusal_reason` is what the user was told,
    `refusal_alternative` whether something safe was offered instead, `handed_over` whether a person took over.
    """

    operation_name: Name | None = None
    provider_name: Name | None = None
    request_model: Name | None = None
    response_model: Name | None = None
    model_uri: Reference | None = None
    model_digest: Reference | None = None
    response_id: Name | None = None
    prompt_name: Name | None = None
    prompt_version: Version | None = None
    request_temperature: Real | None = None
    request_top_p: Real | None = None
    request_max_tokens: Count | None = None
    request_stream: bool | None = None
    output_type: Name | None = None
    finish_reasons: list[Name] | None = None
    finish_reason_norm: Word | None = None
    outcome: Word | None = None
    outcome_source: Word | None = None
    usage_input_tokens: Count | None = None
    usage_output_tokens: Count | None = None
    usage_cache_read_input_tokens: Count | None = None
    usage_cache_write_input_tokens: Count | None = None
    usage_reasoning_output_tokens: Count | None = None
    usage_input_images: Count | None = None
    usage_output_images: Count | None = None
    usage_input_audio_seconds: Seconds | None = None
    usage_output_audio_seconds: Seconds | None = None
    usage_input_video_seconds: Seconds | None = None
    usage_output_video_seconds: Seconds | None = None
    choice_count: Count | None = None
    attempt: Index | None = None
    superseded: bool | None = None
    batch_id: Name | None = None
    cost_usd: Real | None = None
    duration_ms: Milliseconds | None = None
    time_to_first_chunk_ms: Milliseconds | None = None
    error_type: Name | None = None
    agent_name: Name | None = None
    agent_version: Version | None = None
    workflow_name: Name | None = None
    turn_index: Index | None = None
    input_hash: Reference | None = None
    output_hash: Reference | None = None
    system_hash: Reference | None = None
    input_chars: Count | None = None
    output_chars: Count | None = None
    input_lang: Name | None = None
    output_lang: Name | None = None
    content_ref: Reference | None = None
    input_vector: Reference | None = None
    input_text: Content | None = None
    output_text: Content | None = None
    capture_mode: Word | None = None
    reached_user: bool | None = None
    refusal_reason: Name | None = None
    refusal_alternative: bool | None = None
    handed_over: bool | None = None
    stage_latency_ms: StageLatency | None = None
    probe_id: Name | None = None
    guards: list[GuardResult] | None = None


class GuardVerdict(Envelope, frozen=True, tag="ai.safety.guard_verdict.v1"):
    """A verdict that travels alone, because the guard judged later or elsewhere than the request."""

    guard: GuardResult
    target_event_id: Name | None = None
    target_id: Name | None = None
    probe_id: Name | None = None


class AgentStep(Envelope, frozen=True, tag="ai.safety.agent_step.v1"):
    """One step of an agent: a tool call, a plan, a hand-over, an approval, a look into its memory.

    `memory_ids` are ids or hashes of the items of a memory that `memory_action` is about, never what they hold. They
    are of `memory_store`; where that is not named, of the service.
    """

    step_kind: Word
    agent_name: Name | None = None
    agent_id: Name | None = None
    agent_version: Version | None = None
    main_agent_name: Name | None = None
    workflow_name: Name | None = None
    step_index: Index | None = None
    depth: Index | None = None
    tool_name: Name | None = None
    tool_type: Name | None = None
    tool_call_id: Name | None = None
    tool_tier: Word | None = None
    tool_server: Name | None = None
    tool_protocol: Name | None = None
    tool_definition_hash: Reference | None = None
    args_hash: Reference | None = None
    args_bytes: Count | None = None
    result_hash: Reference | None = None
    result_bytes: Count | None = None
    egress_host: Name | None = None
    authorization: Word | None = None
    approver_kind: Word | None = None
    approval_wait_ms: Milliseconds | None = None
    taint_sources: list[Name] | None = None
    memory_action: Word | None = None
    memory_store: Name | None = None
    memory_ids: list[Identity] | None = None
    status: Word | None = None
    error_type: Name | None = None
    duration_ms: Milliseconds | None = None
    inference_calls: Count | None = None
    tool_calls: Count | None = None
    data_classification_in: Name | None = None
    data_classification_out: Name | None = None
    probe_id: Name | None = None
    guards: list[GuardResult] | None = None


class RetrievedDocument(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where one retrieved document came from, and how far it is trusted."""

    id: Identity
    score: Real | None = None
    source_uri: Reference | None = None
    version: Version | None = None
    content_hash: Reference | None = None
    trust: Word | None = None
    ingested_at: UnixNano | None = None


class Retrieval(Envelope, frozen=True, tag="ai.safety.retrieval.v1"):
    """One search in a knowledge base, with the provenance of what it gave back."""

    data_source_id: Name | None = None
    top_k: Index | None = None
    query_hash: Reference | None = None
    query_chars: Count | None = None
    documents: list[RetrievedDocument] | None = None
    index_version: Version | None = None
    embedding_model: Name | None = None
    returned_count: Count | None = None
    score_max: Real | None = None
    score_mean: Real | None = None
    duration_ms: Milliseconds | None = None
    lineage_run_id: Name | None = None
    probe_id: Name | None = None
    guards: list[GuardResult] | None = None


class Telemetry(Envelope, frozen=True, tag="ai.safety.telemetry.v1"):
    """What the way itself has to say: events an emitter dropped, or just that time has passed.

    One without counts is a *time mark*: it moves the watermark of a partition that carries no other event. `measures`
    are numbers of the service's own by name, as adoption and business value: they are stored and summed, never judged.
    """

    emitted: Count | None = None
    dropped: Count | None = None
    refused: Count | None = None
    reason: Reference | None = None
    reasons: dict[str, Count] | None = None
    measures: dict[str, Real] | None = None


Event = Inference | GuardVerdict | AgentStep | Retrieval | Telemetry
"""Any event of ``inference.v1``."""
