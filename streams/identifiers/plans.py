"""Which fields of which record may name nobody, and what becomes of a direct identifier in each.

Every field of free text is here; a test goes over the contract and finds what is not. Left alone are who acts for this
installation (`actor_id`, `assignee_id`, a reviewer's name), as it must be known who did what; links to code
(`vcs_repository`, `model_card_url`); `input_text` and `output_text`, which are kept by the rules of texts; and words,
names and hashes. The labels of a change may hold what a policy says, with the addresses of whom it pages.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal

from schemas.approvals import Approval
from schemas.changes import Change
from schemas.controls import Control
from schemas.erasures import Erasure
from schemas.evaluations import EvaluationRun
from schemas.events import AgentStep, GuardVerdict, Inference, Retrieval, Telemetry
from schemas.incidents import Delivery, IncidentAction, IncidentEvidence, IncidentTransition
from schemas.reviews import ReviewItem, ReviewLabel
from schemas.triage import Triage

Treatment = Literal["person", "link", "text"]
"""`person`: an id, where a pseudonym stands for an address or a number. `link`: a place, in which a pseudonym stands
for an address. `text`: the kind of each identifier stands for it."""

Plan = Mapping[str, "Treatment | Plan"]
"""The treatment of fields by name; of a struct, or of each of a list of them, a plan of its own."""

PERSONS: Final = ("user_pseudo_id", "session_id", "conversation_id", "tenant_id")
_ENVELOPE: Final[Plan] = {**dict.fromkeys(PERSONS, "person"), "labels": "text"}
_GUARD: Final[Plan] = {"reason": "text", "native_result_value": "text"}
_REASON: Final[Plan] = {**_ENVELOPE, "reason": "text"}

PLANS: Final[Mapping[type[Any], Plan]] = {
    Inference: {
        **_ENVELOPE, "error_type": "text", "refusal_reason": "text", "content_ref": "link", "guards": _GUARD,
    },
    AgentStep: {**_ENVELOPE, "error_type": "text", "guards": _GUARD},
    GuardVerdict: {**_ENVELOPE, "guard": _GUARD},
    Retrieval: {**_ENVELOPE, "documents": {"source_uri": "link"}, "guards": _GUARD},
    Telemetry: _REASON,
    Change: {**dict.fromkeys(PERSONS, "person"), "reason": "text", "flag_reason": "text"},
    IncidentAction: _REASON,
    IncidentTransition: {**_REASON, "ticket_url": "link", "postmortem_url": "link"},
    IncidentEvidence: _ENVELOPE,
    Delivery: {**_ENVELOPE, "detail": "text"},
    Control: _REASON,
    Triage: _REASON,
    Erasure: _REASON,
    Approval: _REASON,
    ReviewLabel: {**_ENVELOPE, "explanation_ref": "text"},
    ReviewItem: _ENVELOPE,
    EvaluationRun: _ENVELOPE,
}  # fmt: skip
