"""Of which class each table and topic is, and what becomes of it when its time is over."""

from typing import Final, NamedTuple

from schemas.sql import query
from schemas.topics import (
    ACTIONS,
    APPROVALS,
    AUDIT_HEADS,
    CHANGES,
    CHECKPOINTS,
    CONTROLS,
    DEAD_LETTERS,
    DELIVERIES,
    ERASURES,
    EVALUATIONS,
    EVIDENCE,
    FINDINGS,
    INCIDENTS,
    INFERENCE,
    LITELLM,
    OTLP_LOGS,
    OTLP_SPANS,
    REVIEW_QUEUE,
    REVIEWS,
    TRIAGE,
    WINDOWS,
    Topic,
)
from streams.policy.retention import Class, Retention

HERE: Final = "streams.retention"
_COUNTS: Final = "greatest(time, counted_time)"
"""An event that is late counts with those of today, and is held against the windows as long as these are kept."""
_UNHELD: Final = query(HERE, "held_events")
_ENDED: Final = query(HERE, "kept_incidents")
_EVENT: Final = f"event_id NOT IN ({_UNHELD})"
_VERDICT: Final = f"{_EVENT} AND (target_event_id = '' OR target_event_id NOT IN ({_UNHELD}))"
_INCIDENT: Final = f"incident_id NOT IN ({_ENDED})"
WHOSE: Final = query(HERE, "whose")
_FINDING: Final = f"finding_id NOT IN ({query(HERE, 'held_findings')})"


class Kept(NamedTuple):
    """A table of which old rows go, or have less in some columns; `also` says which of the old ones."""

    table: str
    of: Class
    time: str = "time"
    also: str = ""
    left: tuple[tuple[str, str], ...] = ()
    """Columns that change, and what is left in each."""

    @property
    def where(self) -> str:
        """The condition of what goes, with parameters `before` and `holds`."""
        more = " OR ".join(f"{name} != {left}" for name, left in self.left)
        parts = (f"{self.time} < {{before:DateTime('UTC')}}", more and f"({more})", self.also)
        return " AND ".join(part for part in parts if part)

    @property
    def command(self) -> str:
        """The statement that has it go."""
        does = f"UPDATE {', '.join(f'{name} = {left}' for name, left in self.left)}" if self.left else "DELETE"
        return f"ALTER TABLE {self.table} {does} WHERE {self.where}"


TABLES: Final = (
    Kept("inferences", "text", also=_EVENT, left=(("input_text", "''"), ("output_text", "''"))),
    Kept("dead_letters", "dead_letters", left=(("value", WHOSE), ("detail", "''"))),
    *(Kept(name, "events", _COUNTS, _EVENT) for name in ("inferences", "agent_steps", "retrievals")),
    Kept("guard_verdicts", "events", _COUNTS, _VERDICT),
    *(Kept(name, "events") for name in ("windows", "window_messages")),
    *(
        Kept(f"{name}_{unit}s", "minutes", unit)
        for name, unit in (
            ("service", "minute"), ("service", "hour"), ("stage", "minute"), ("stage", "hour"),
            ("category", "minute"), ("probe", "minute"), ("counted", "hour"), ("window", "minute"), ("window", "hour"),
        )
    ),
    Kept("counted_minutes", "minutes", "counted"),
    *(Kept(name, "minutes") for name in ("telemetry", "dead_letters", "review_items", "review_labels", "evaluations")),
    Kept("masked_identifiers", "minutes"),
    *(Kept(name, "incidents", also=_INCIDENT) for name in ("incident_actions", "incident_evidence", "deliveries")),
    *(Kept(name, "incidents") for name in ("changes", "controls", "triage")),
    Kept("audit_heads", "audit"),
    Kept("findings", "incidents", "detected_time", _FINDING),
    Kept("incident_transitions", "incidents", also=_INCIDENT),
)  # fmt: skip
"""In the order in which they go: transitions last, as they say what else belongs to an incident."""

FOR_EVER: Final = (
    "horizons", "service_policies", "reporting_rules", "trust_hours", "trap_hours", "retention_runs", "erasures",
    "erasure_runs", "schema_migrations",
)  # fmt: skip
"""State, what is computed again and again from what is kept, what was removed, and what is to stay so."""

TOPICS: Final[dict[Topic, tuple[Class, ...]]] = {
    INFERENCE: ("text", "events"),
    OTLP_SPANS: ("text", "events"),
    OTLP_LOGS: ("text", "events"),
    LITELLM: ("text", "events"),
    WINDOWS: ("events",),
    DEAD_LETTERS: ("dead_letters",),
    **dict.fromkeys((REVIEWS, REVIEW_QUEUE, EVALUATIONS), ("minutes",)),
    **dict.fromkeys((FINDINGS, CHANGES, INCIDENTS, ACTIONS, EVIDENCE, DELIVERIES, CONTROLS, TRIAGE), ("incidents",)),
    **dict.fromkeys((AUDIT_HEADS, APPROVALS), ("audit",)),
    ERASURES: (),
    CHECKPOINTS: (),
}
"""Classes of what a topic holds; none of state, of which the newest of each key is kept."""


def retention_ms(topic: Topic, retention: Retention) -> int:
    """Return for how long a topic keeps its records: as the contract says, or less where the policy wants less.

    >>> retention_ms(INFERENCE, Retention()) == 7 * 86_400_000, retention_ms(CHECKPOINTS, Retention())
    (True, -1)
    >>> retention_ms(INFERENCE, Retention(text="3d")) == 3 * 86_400_000
    True
    """
    wanted = [retention.seconds(each) * 1_000 for each in TOPICS[topic]]
    return min([topic.retention_ms, *wanted]) if wanted else topic.retention_ms
