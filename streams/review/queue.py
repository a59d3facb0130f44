"""The review queue: what to look at next, what people disagree about, and a judgement as a record."""

import time
import uuid
from collections.abc import Collection
from typing import Any, Final

import msgspec
from msgspec import Struct

from schemas.reviews import Annotator, Label, ReviewLabel
from schemas.sql import query
from schemas.wire import decoder, encode
from streams.review.leases import Leases
from streams.settings import Settings
from streams.store.ask import Parameters, ask_rows

SOURCE: Final = "watchkeeper/review"
EVALUATION: Final = "harm_review"

_NEXT: Final = query("streams.review", "next")
_GUARDS: Final = query("streams.review", "guards")
_TEXTS: Final = "SELECT input_text, output_text FROM inferences WHERE event_id = {event:String} LIMIT 1"
_ITEM: Final = query("streams.review", "item")
_EVENT: Final = query("streams.review", "event")
_DISAGREEMENTS: Final = query("streams.review", "disagreements")
_MINE: Final = query("streams.review", "mine")

_check: Final = decoder(ReviewLabel)


class UnknownEventError(ValueError):
    """A label for an event that nobody has seen."""


class Judgement(Struct, frozen=True, kw_only=True):
    """What somebody says of an event. `score` is for feedback of users, 0 to 1."""

    target_event_id: str
    label: Label
    reviewer: str
    annotator_kind: Annotator = "human"
    categories: list[str] | None = None
    severity: int | None = None
    score: float | None = None
    note: str | None = None
    labelled_at: int | None = None
    evaluation_name: str = EVALUATION


def upcoming(settings: Settings, queue: str, reviewer: str, most: int = 1) -> list[dict[str, Any]]:
    """Return the oldest items that still need this reviewer, each with what is known of its event.

    Texts are there only where the producer of the event sent them.
    """
    return [whole(settings, item) for item in waiting(settings, queue, reviewer, most)]


def waiting(settings: Settings, queue: str, reviewer: str, most: int) -> list[dict[str, Any]]:
    """Return the oldest items that still need this reviewer, without what is known of their events."""
    asked: Parameters = {"queue": queue, "reviewer": reviewer, "most": most}
    return ask_rows(settings, _NEXT, asked)


def leased(
    settings: Settings, leases: Leases, queue: str, reviewer: str, most: int = 1, passed: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Return items as `upcoming` does that nobody else looks at, and hold them for this reviewer.

    Parameters
    ----------
    passed
        Events that are not to be among them.
    """
    rows = waiting(settings, queue, reviewer, most + len(passed) + len(leases))
    free = [row for row in rows if row["target_event_id"] not in passed]
    found: list[dict[str, Any]] = []
    while len(found) < most and (item := leases.take(reviewer, free)) is not None:
        found.append(whole(settings, item))
        free.remove(item)
    return found


def whole(settings: Settings, item: dict[str, Any]) -> dict[str, Any]:
    """Return an item with what is known of its event."""
    return item | _known(settings, item["target_event_id"])


def disagreements(settings: Settings, most: int) -> list[dict[str, Any]]:
    """Return events of which people said different things and no label has the most of them, the newest first."""
    return ask_rows(settings, _DISAGREEMENTS, {"evaluation": EVALUATION, "most": most})


def chosen(settings: Settings, event_id: str) -> dict[str, Any]:
    """Return one item, whoever has judged it, as `upcoming` does.

    Raises
    ------
    UnknownEventError
        As `judged`.
    """
    return {"target_event_id": event_id} | _chosen(settings, event_id) | _known(settings, event_id)


def _known(settings: Settings, event_id: str) -> dict[str, Any]:
    guards = ask_rows(settings, _GUARDS, {"event": event_id})
    texts = ask_rows(settings, _TEXTS, {"event": event_id})
    return {"guards": guards, "texts": {name: text for row in texts for name, text in row.items() if text}}


def _chosen(settings: Settings, event_id: str) -> dict[str, Any]:
    """Return how an event came to be chosen; what no queue holds is an appeal."""
    event: Parameters = {"event": event_id}
    if items := ask_rows(settings, _ITEM, event):
        return items[0]
    events = ask_rows(settings, _EVENT, event)
    if not events:
        raise UnknownEventError(f"no event is called {event_id}: history has not stored it (yet), or the id is wrong")
    return events[0] | {"sampling_method": "appeal", "sampling_probability": 1.0, "queue": "", "queued_at": None}


def judged(settings: Settings, said: Judgement) -> ReviewLabel:
    """Return a judgement as a record, with how its event came to be chosen; it takes the place of an earlier one.

    Raises
    ------
    UnknownEventError
        Where neither the queue nor the history knows the event.
    InvalidRecordError
        Where the contract refuses it; the message names the field.
    """
    event: Parameters = {"event": said.target_event_id}
    wall = time.time_ns()
    item = _chosen(settings, said.target_event_id)
    mine: Parameters = {"reviewer": said.reviewer, "evaluation": said.evaluation_name}
    earlier = ask_rows(settings, _MINE, event | mine)
    label = ReviewLabel(
        event_id=uuid.uuid4().hex,
        source=SOURCE,
        time_unix_nano=wall,
        service_name=item["service_name"],
        tenant_id=item["tenant_id"] or None,
        model_version=item["model_version"] or None,
        target_event_id=said.target_event_id,
        evaluation_name=said.evaluation_name,
        label=said.label,
        annotator_kind=said.annotator_kind,
        annotator_pseudo_id=said.reviewer,
        sampling_method=item["sampling_method"],
        sampling_probability=item["sampling_probability"],
        score=said.score,
        categories=said.categories,
        severity=said.severity,
        explanation_ref=said.note,
        queue=item["queue"] or None,
        queued_at=int(item["queued_at"]) if item["queued_at"] else None,
        labelled_at=said.labelled_at or wall,
        supersedes_label_id=earlier[0]["event_id"] if earlier else None,
    )
    _check(encode(label), wall)
    return label


LABELS: Final = tuple(msgspec.inspect.type_info(Label).values)  # type: ignore[attr-defined]
