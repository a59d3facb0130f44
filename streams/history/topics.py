"""The topics that history reads, and the tables that their records become rows of."""

from typing import Final

from schemas.changes import Change
from schemas.controls import Control
from schemas.erasures import Erasure
from schemas.evaluations import EvaluationRun
from schemas.findings import Finding
from schemas.incidents import Delivery, IncidentAction, IncidentEvidence, IncidentTransition
from schemas.reviews import ReviewItem, ReviewLabel
from schemas.tables import AUDIT_HEADS, DEAD_LETTERS, WINDOW_MESSAGES, Table
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
    INFERENCE,
    REVIEW_QUEUE,
    REVIEWS,
    TRIAGE,
)
from schemas.topics import AUDIT_HEADS as AUDIT_HEADS_TOPIC
from schemas.topics import DEAD_LETTERS as DEAD_LETTERS_TOPIC
from schemas.topics import WINDOWS as WINDOWS_TOPIC
from schemas.triage import Triage
from streams.history.rows import TABLE_OF
from streams.settings import Settings
from streams.store.lost import EVENTS

PLAIN: Final = {
    FINDINGS: Finding,
    CHANGES: Change,
    REVIEWS: ReviewLabel,
    REVIEW_QUEUE: ReviewItem,
    EVALUATIONS: EvaluationRun,
    INCIDENTS: IncidentTransition,
    ACTIONS: IncidentAction,
    EVIDENCE: IncidentEvidence,
    DELIVERIES: Delivery,
    CONTROLS: Control,
    TRIAGE: Triage,
    ERASURES: Erasure,
}
"""Topics of one kind of record, each of which becomes a row."""

TOPICS: Final = (INFERENCE, WINDOWS_TOPIC, *PLAIN, DEAD_LETTERS_TOPIC, AUDIT_HEADS_TOPIC)


def tables_of(settings: Settings) -> dict[str, tuple[Table, ...]]:
    """Return which tables the records of each topic become rows of, by its full name."""
    plain = {topic: (TABLE_OF[kind],) for topic, kind in PLAIN.items()}  # type: ignore[index]
    own = {
        INFERENCE: EVENTS,
        WINDOWS_TOPIC: (WINDOW_MESSAGES,),
        DEAD_LETTERS_TOPIC: (DEAD_LETTERS,),
        AUDIT_HEADS_TOPIC: (AUDIT_HEADS,),
    }
    return {settings.topic(topic.name): tables for topic, tables in {**plain, **own}.items()}
