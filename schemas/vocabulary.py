"""Words that a field is known to hold. Every vocabulary is open: a producer's own word is kept as it stands.

A word that is not in here is *unknown*: it is counted as such (`streams.events.words`), and where a rate depends on it
the event is no trial of that rate, because it is neither safe nor unsafe. `unknown` itself is a word like any other and
says that the producer does not know either.
"""

from typing import Final, Literal, get_args

LAYERS: Final = ("input", "output", "retrieval", "tool_call", "tool_result", "memory", "plan", "unknown")
MODES: Final = ("enforce", "monitor", "shadow")
STATUSES: Final = ("ok", "error", "timeout", "skipped", "partial")
VERDICTS: Final = ("allow", "flag", "redact", "block", "escalate", "unknown")
ACTIONS: Final = ("none", "annotated", "redacted", "replaced", "blocked", "escalated", "aborted", "unknown")
OUTCOMES: Final = ("completed", "refused", "filtered", "blocked", "error", "cancelled", "unknown", "rate_limited")
LIMITS: Final = ("rate_limit", "quota", "budget", "concurrency")
"""What turned a call away that was `rate_limited`: requests or tokens a minute, a period's quota, money, calls at once.

Limits that a service or its gateway sets on its callers. A provider that limits the service itself failed it: that is
an error.
"""
AUTHORIZATIONS: Final = (
    "allowed", "denied", "simulated", "approval_required", "approved", "rejected", "not_checked",
)  # fmt: skip

ToolTier = Literal["read", "write", "destructive", "external", "privileged", "unknown"]
"""How far what a tool does reaches."""

STEP_STATUSES: Final = ("ok", "error", "cancelled", "unknown")
TOOL_STEPS: Final = ("execute_tool", "mcp")
"""Steps that call a tool, and may fail."""

AROUND_STEPS: Final = ("invoke_agent", "invoke_workflow")
"""Steps that stand around others: what an agent does is said by those."""

WITHOUT_OUTPUT: Final = (
    "embeddings", "embedding", "aembedding", "embed", "text_embedding", "rerank", "arerank", "reranking", "moderation",
    "amoderation", "moderations", "classify", "classification", "count_tokens", "tokenize", "score", "retrieval",
    "search", "execute_tool", "create_agent", "evaluate", "guardrail", "apply_guardrail", "run_guardrail",
)  # fmt: skip
"""Operations whose answer is no output for people: a call of them is no trial of what rests on outputs.

Anything else is one, whatever it gives: text, an image, speech, a transcript.
"""

WRAPPERS: Final = ("invoke_agent", "invoke_workflow")
"""Operations around calls that have events of their own: their usage, duration and errors are those of the calls."""

ERROR_OUTCOMES: Final = {
    "content_filter": "filtered",
    "content_filtered": "filtered",
    "content_policy_violation": "filtered",
    "contentfiltererror": "filtered",
    "contentfilterfinishreasonerror": "filtered",
    "contentpolicyviolationerror": "filtered",
    "responsibleaipolicyviolation": "filtered",
    "guardrailraisedexception": "blocked",
    "guardrail_intervened": "blocked",
    "guardrailtripwiretriggered": "blocked",
    "blockedpiientityerror": "blocked",
    "modelrefusalerror": "refused",
    "openairefusalerror": "refused",
}
"""How a call ended whose type of error, in small letters, ends in this: it was stopped, and is no error.

By its end, because a type may come with the module it is from, and a guard's with what it looked at.
"""

EVENT_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "outcome": OUTCOMES,
    "finish_reason_norm": (
        "stop", "length", "content_filter", "tool_call", "compaction", "refusal", "error", "unknown",
    ),
    "outcome_source": (
        "provider_refusal", "provider_filter", "guardrail", "classifier", "none", *LIMITS,
    ),
    "step_kind": ("invoke_agent", "invoke_workflow", "plan", "execute_tool", "memory", "handoff", "approval", "mcp"),
    "tool_tier": get_args(ToolTier),
    "authorization": AUTHORIZATIONS,
    "approver_kind": ("human", "policy", "llm"),
    "memory_action": ("read", "write", "delete"),
    "status": STEP_STATUSES,
    "deployment_variant": ("stable", "canary", "shadow"),
    "ingest_dialect": (
        "native", "otel_le_1_36", "otel_1_37_plus", "otel_genai_repo", "openinference", "openllmetry", "openlit",
        "litellm", "vercel_ai_sdk", "nemo_guardrails", "guardrails_ai", "langfuse", "mlflow", "mcp", "otlp",
    ),
    "capture_mode": ("none", "hashed", "referenced", "full"),
}  # fmt: skip
"""By field of an event."""

GUARD_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "layer": LAYERS,
    "status": STATUSES,
    "verdict": VERDICTS,
    "action": ACTIONS,
    "mode": MODES,
    "fail_mode": ("open", "closed"),
}
"""By field of a guard's result."""

FINDING_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "score_kind": ("probability", "confidence_bucket", "severity", "boolean", "distance"),
}
"""By field of a finding; its category is held against `schemas.categories`."""

TRUSTS: Final = ("trusted", "internal", "external", "user_supplied", "unknown")
"""Of a retrieved document."""

VETTED: Final = ("trusted", "internal")
"""Trusts of documents that somebody looked at."""

UNSAID: Final = ("unknown", "")
"""Trusts that say nothing: such a document is neither vetted nor unvetted; any other word is unvetted."""
