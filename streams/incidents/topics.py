"""The logs that are the state of the incidents worker, and the record that each holds."""

from typing import Any, Final

from schemas.changes import Change
from schemas.controls import Control
from schemas.erasures import Erasure
from schemas.evaluations import EvaluationRun
from schemas.findings import Finding
from schemas.incidents import Delivery, IncidentAction, IncidentEvidence, IncidentTransition
from schemas.topics import (
    ACTIONS,
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

KINDS: Final[dict[Topic, Any]] = {
    FINDINGS: Finding,
    ACTIONS: IncidentAction,
    CHANGES: Change,
    EVALUATIONS: EvaluationRun,
    ERASURES: Erasure,
    INCIDENTS: IncidentTransition,
    EVIDENCE: IncidentEvidence,
    DELIVERIES: Delivery,
    CONTROLS: Control,
}
