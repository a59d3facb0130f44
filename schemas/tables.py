"""The tables of the history: what a row is, where it comes from, and how its columns follow from a struct.

The physical form is the numbered SQL in ``ddl/``; a test holds the two equal. Every row says where it came from:
topic, topic id (a recreated topic starts again at offset 0 with another id), partition, offset, and index where
one message gives several rows.
"""

from typing import Final

import msgspec
from msgspec import Struct

from .changes import Change
from .controls import Control
from .erasures import Erasure
from .evaluations import EvaluationRun
from .events import AgentStep, GuardVerdict, Inference, Retrieval, Telemetry
from .findings import Finding
from .incidents import Delivery, IncidentAction, IncidentEvidence, IncidentTransition
from .reviews import ReviewItem, ReviewLabel
from .triage import Triage

PROVENANCE: Final = ("kafka_topic", "kafka_topic_id", "kafka_partition", "kafka_offset", "kafka_index")


class Table(Struct, frozen=True, kw_only=True):
    """A table of the history. `left_out` names the fields of its kind that live elsewhere."""

    name: str
    row: str
    kind: type[msgspec.Struct] | None = None
    left_out: tuple[str, ...] = ()
    computed: tuple[str, ...] = ()


_HARM: Final = ("safety_harm", "security_harm")
"""How harmful an output is on each axis (`streams.events.harm`)."""

_COUNTED: Final = ("trials", "flagged", "guard_ok", "guard_not_ok", "counted_version", "counted_time", *_HARM)
"""What rows of an event with guards say beside its fields: bits of the rates, guard results, version counted under,
the time at which the windows count it (`streams.history.counted`), and harm."""

INFERENCES: Final = Table(
    name="inferences",
    row="one call of a model",
    kind=Inference,
    left_out=("guards",),
    computed=(*_COUNTED, "guards_ok", "unsafe_severity"),
)
AGENT_STEPS: Final = Table(
    name="agent_steps",
    row="one step of an agent",
    kind=AgentStep,
    left_out=("guards",),
    computed=(*_COUNTED, "unsafe_severity"),
)
RETRIEVALS: Final = Table(
    name="retrievals",
    row="one search in a knowledge base",
    kind=Retrieval,
    left_out=("guards",),
    computed=_COUNTED,
)
GUARD_VERDICTS: Final = Table(
    name="guard_verdicts",
    row="one verdict of one guard, whether it came inside an event or alone",
    kind=GuardVerdict,
    left_out=("guard",),
    computed=(
        "event_kind",
        "counted_version",
        "counted_time",
        "trials",
        "flagged",
        *_HARM,
        "finding_counts",
        "finding_stopped",
    ),
)
TELEMETRY: Final = Table(
    name="telemetry", row="one word of an emitter about itself", kind=Telemetry, computed=("counted_time",)
)
CHANGES: Final = Table(name="changes", row="one step of one change", kind=Change)
REVIEW_LABELS: Final = Table(name="review_labels", row="one judgement of one event", kind=ReviewLabel)
INCIDENTS: Final = Table(name="incident_transitions", row="one transition of one incident", kind=IncidentTransition)
ACTIONS: Final = Table(name="incident_actions", row="one thing done about one incident", kind=IncidentAction)
EVIDENCE: Final = Table(name="incident_evidence", row="what was known of an incident", kind=IncidentEvidence)
DELIVERIES: Final = Table(name="deliveries", row="one attempt to tell a receiver", kind=Delivery)
CONTROLS: Final = Table(name="controls", row="one request to a service or its deployer", kind=Control)
TRIAGE: Final = Table(name="triage", row="one word of a person about tickets", kind=Triage)
ERASURES: Final = Table(name="erasures", row="one request that somebody's data be erased", kind=Erasure)
EVALUATIONS: Final = Table(name="evaluations", row="what one run of a suite found of one hazard", kind=EvaluationRun)
REVIEW_ITEMS: Final = Table(name="review_items", row="one event that a person is asked to look at", kind=ReviewItem)
FINDINGS: Final = Table(name="findings", row="one finding; a repeat has the same finding_id", kind=Finding)
WINDOWS: Final = Table(name="windows", row="one rate of one group in one tick of one source partition")
WINDOW_MESSAGES: Final = Table(name="window_messages", row="one window as it came, for a backtest")
AUDIT_HEADS: Final = Table(name="audit_heads", row="the end of an audit log at a time, signed")
MASKED: Final = Table(name="masked_identifiers", row="identifiers of one kind in one field of one record")
DEAD_LETTERS: Final = Table(name="dead_letters", row="one record that was refused, by where it came from")

BASES: Final = (
    INFERENCES, AGENT_STEPS, RETRIEVALS, GUARD_VERDICTS, TELEMETRY, CHANGES, REVIEW_LABELS, REVIEW_ITEMS, EVALUATIONS,
    INCIDENTS, ACTIONS, EVIDENCE, DELIVERIES, CONTROLS, ERASURES, FINDINGS,
    WINDOWS, WINDOW_MESSAGES, DEAD_LETTERS, MASKED, AUDIT_HEADS,
)  # fmt: skip
