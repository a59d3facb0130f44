"""Controls: what a service, or its deployer, is asked to do."""

from typing import Final, Literal

from .events import Envelope
from .fields import Name, Real, Reference, UnixNano, Version
from .incidents import Actor

ControlKind = Literal[
    "promote", "rollback", "kill_switch", "pause", "review_required", "resume", "policy_review", "quarantine",
    "release",
]  # fmt: skip

OF_SOURCES: Final = frozenset({"quarantine", "release"})
"""Controls that are about one source of documents; `resume` ends neither."""


class Control(Envelope, frozen=True, tag="ai.safety.control.v1"):
    """What a service, or its deployer, is asked to do, on ``controls.v1``; signed in the header of its message.

    It is a request: nothing is ever rolled back or stopped by Watchkeeper itself. `model_version` of the envelope
    is the candidate that a promotion or a rollback is about; where that is a version of a prompt, `prompt_name` says
    of which, `to_version` is one of its versions, and `model_version` is absent. A `policy_review` asks the owner of
    the service, not the service, to look whether its policy still fits what it does. A `quarantine` asks a service to
    take nothing from a source (`data_source_id`) until it ends or the source is given free again (`release`).
    """

    control: ControlKind
    actor_kind: Actor
    reason: Reference
    actor_id: Name | None = None
    rule: Name | None = None
    finding_id: Name | None = None
    incident_id: Name | None = None
    change_id: Name | None = None
    data_source_id: Name | None = None
    prompt_name: Name | None = None
    to_version: Version | None = None
    expires_at: UnixNano | None = None
    evidence: dict[str, Real] | None = None

    def __post_init__(self) -> None:
        if (self.control in OF_SOURCES) != bool(self.data_source_id):
            has = "needs" if self.control in OF_SOURCES else "has no"
            raise ValueError(f"a {self.control} {has} `data_source_id`, the source of documents that it is about")
