"""What a guard said, what was done about it, and whether it ran at all: three fields, never one.

``verdict`` is the guard's opinion, ``action`` is what the caller enforced, ``status`` says whether the guard
ran. A guard that timed out while the request went through (``status: timeout``, ``fail_mode: open``) has no
opinion, and is counted as such instead of as "allow".
"""

from msgspec import Struct

from .fields import Count, Identity, Level, Milliseconds, Name, Real, Reference, Version, Word

STOPPING_ACTIONS = frozenset({"redacted", "replaced", "blocked", "aborted"})
"""Actions after which the judged content did not reach the user as it was."""

FLAGGING_VERDICTS = frozenset({"flag", "redact", "block", "escalate"})
"""Verdicts by which a guard said that something is wrong."""

NOTHING_FOUND = ("none", "negligible", "safe")
"""Buckets, in small letters, by which a finding says that what it was looked for is not there."""


class GuardFinding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One category that a guard reported. `category` is ours, the native pair is kept untouched beside it."""

    category: Name
    native_category: Name | None = None
    native_taxonomy: Name | None = None
    severity: Level | None = None
    score: Real | None = None
    score_kind: Word | None = None
    score_bucket: Name | None = None
    threshold: Real | None = None
    entity_type: Name | None = None
    count: Count | None = None


class GuardResult(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One verdict of one guard, inside the event it judged or in a `GuardVerdict` of its own."""

    guard_name: Identity
    layer: Word
    status: Word
    verdict: Word | None = None
    action: Word | None = None
    mode: Word | None = None
    fail_mode: Word | None = None
    guard_version: Version | None = None
    guard_provider: Name | None = None
    policy_id: Name | None = None
    policy_version: Version | None = None
    policy_rule_id: Name | None = None
    native_source: Name | None = None
    native_result_type: Name | None = None
    native_result_value: Name | None = None
    native_id: Name | None = None
    mapping_version: Version | None = None
    reason: Reference | None = None
    findings: list[GuardFinding] | None = None
    latency_ms: Milliseconds | None = None
    chunk_index: Count | None = None
    stream_offset_chars: Count | None = None
    content_hash: Reference | None = None
    content_modified: bool | None = None
