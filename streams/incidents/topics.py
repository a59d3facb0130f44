"""The logs that are the state of the incidents worker, and the record that each holds."""

from typing import Any, Final

from schemas.approvals import Approval
from schemas.changes import Change
from schemas.controls import Control
from schemas.erasures import Erasure
from schemas.evaluations import EvaluationRun
from schemas.findings import Finding
from schemas.incidents import Delivery, IncidentAction, IncidentEvidence, IncidentTransition
from schemas.topics import (
    ACTIONS,
    APPROVALS,
    CHANGES,
    CONTROLS,
    DELIVERIES,
    ERASURES,
    EVALUATIONS,
    EVIDENCE,
    FINDINGS,
    INCIDENTS,
    Topic,
)

TOPICS: Final = (FINDINGS, ACTIONS, CHANGES, EVALUATIONS, ERASURES, APPROVALS, CONTROLS)
"""What it goes on reading; the others it writes itself, and reads when it starts."""
KINDS: Final[dict[Topic, Any]] = {
    FINDINGS: Finding,
    ACTIONS: IncidentAction,
    CHANGES: Change,
    EVALUATIONS: EvaluationRun,
    ERASURES: Erasure,
    INCIDENTS: IncidentTransition,
    EVIDENCE: IncidentEvidence,
    DELIVERIES: Delivery,
    APPROVALS: Approval,
    CONTROLS: Control,
}
