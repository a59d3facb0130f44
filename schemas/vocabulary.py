"""Words that a field is known to hold. Every vocabulary is open: a producer's own word is kept as it stands.

A word that is not in here is *unknown*: it is counted as such (`streams.events.words`), and where a rate depends on it
the event is no trial of that rate, because it is neither safe nor unsafe. `unknown` itself is a word like any other and
says that the producer does not know either.
"""

from typing import Final

LAYERS: Final = ("input", "output", "retrieval", "tool_call", "tool_result", "memory", "plan", "unknown")
MODES: Final = ("enforce", "monitor", "shadow")
STATUSES: Final = ("ok", "error", "timeout", "skipped", "partial")
VERDICTS: Final = ("allow", "flag", "redact", "block", "escalate", "unknown")
ACTIONS: Final = ("none", "annotated", "redacted", "replaced", "blocked", "escalated", "aborted", "unknown")
OUTCOMES: Final = ("completed", "refused", "filtered", "blocked", "error", "cancelled", "unknown")
AUTHORIZATIONS: Final = (
    "allowed", "denied", "simulated", "approval_required", "approved", "rejected", "not_checked",
)  # fmt: skip

EVENT_WORDS: Final[dict[str, tuple[str, ...]]] = {
    "outcome": OUTCOMES,
    "finish_reason_norm": (
        "stop", "length", "content_filter", "tool_call", "compaction", "refusal", "error", "unknown",
    ),
    "outcome_source": ("provider_refusal", "provider_filter", "guardrail", "classifier", "none"),
    "step_kind": ("invoke_agent", "invoke_workflow", "plan", "execute_tool", "memory", "handoff", "approval", "mcp"),
    "tool_tier": ("read", "write", "destructive", "external", "privileged", "unknown"),
    "authorization": AUTHORIZATIONS,
    "approver_kind": ("human", "policy", "llm"),
    "status": ("ok", "error", "cancelled", "unknown"),
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
