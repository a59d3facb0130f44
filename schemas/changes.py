"""Changes of models, prompts, policies, code and data: one timeline for all of them."""

from typing import Final, Literal

from .events import Envelope
from .fields import Identity, Name, Reference, Share, Version

Subject = Literal[
    "model", "prompt", "guard_policy", "threshold", "code", "index", "tool", "feature_flag", "detector",
    "schema", "mapping", "deployment", "kill_switch",
]  # fmt: skip
ChangeAction = Literal[
    "proposed", "approved", "rejected", "started", "advanced", "paused", "promoted", "rolled_back", "aborted",
    "expired",
]  # fmt: skip


NEEDS_VERSION: Final = frozenset({"started", "advanced", "promoted", "rolled_back"})
"""Actions after which another version serves."""

WITHOUT_VERSION: Final = frozenset({"feature_flag", "kill_switch"})
"""Subjects that are on or off, and have no versions."""


class Change(Envelope, frozen=True, tag="ai.safety.change.v1"):
    """A change of model, prompt, policy, code or data: one timeline for all of them.

    What starts, advances, promotes or rolls back a version must say which: without `to_version` nobody could tell
    later what was serving.
    """

    change_id: Identity
    subject_type: Subject
    subject_name: Identity
    action: ChangeAction
    from_version: Version | None = None
    to_version: Version | None = None
    subject_digest: Reference | None = None
    rollout_weight: Share | None = None
    gate_name: Name | None = None
    gate_result: Literal["pass", "fail", "inconclusive"] | None = None
    gate_stats: dict[str, float] | None = None
    reason: Reference | None = None
    trigger: Literal["human", "schedule", "gate", "incident", "ci"] | None = None
    incident_id: Name | None = None
    initiator_id: Name | None = None
    approver_ids: list[Name] | None = None
    vcs_revision: Name | None = None
    vcs_repository: Reference | None = None
    pipeline_run_id: Name | None = None
    flag_key: Name | None = None
    flag_variant: Name | None = None
    flag_reason: Name | None = None
    lineage_run_id: Name | None = None
    model_card_url: Reference | None = None

    def __post_init__(self) -> None:
        if self.action in NEEDS_VERSION and self.subject_type not in WITHOUT_VERSION and not self.to_version:
            raise ValueError(
                f"a {self.subject_type} that is {self.action} needs `to_version`: the version that serves after it"
            )
