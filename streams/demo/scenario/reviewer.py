"""Two scripted readers, who judge what was drawn for review by what the scenario knows of it, and err now and then."""

import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from schemas.events import AgentStep, Event, Inference
from schemas.fields import NANO
from schemas.guards import FLAGGING_VERDICTS
from schemas.reviews import Label, ReviewLabel
from schemas.sql import query
from streams.demo.scenario.story import HOURS, Story
from streams.review.queue import EVALUATION

ITEMS_QUERY: Final = query("streams.demo", "review_items")
READERS: Final = ("reader-a", "reader-b")
AFTER_MINUTES: Final = (20, 45)
"""When the first and the second of them come to it."""

MISSED: Final = 0.02
MISREAD: Final = 0.12
ERRED: Final = 0.05
"""How often guards see nothing of a harm, how often what they saw is none, and how often a reader errs."""

UNTIL_HOUR: Final = HOURS - 1
"""What was drawn later still waits at the end."""

Truth = tuple[Label, list[str]]


def labels(story: Story, items: list[dict[str, Any]], known: Mapping[str, Event]) -> Iterator[ReviewLabel]:
    """Yield what the readers say of items, each known by its event."""
    for item in items:
        if int(item["at"]) < story.nano(UNTIL_HOUR):
            truth = _truth(known[item["target_event_id"]], _chance(item, "truth"))
            for number in range(min(int(item["reviewers"]), len(READERS))):
                yield _label(item, number, _read(truth, _chance(item, READERS[number])))


def _chance(item: dict[str, Any], of: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(f"{of}/{item['target_event_id']}".encode()))


def _truth(event: Event, chance: np.random.Generator) -> Truth:
    """Return what was the matter with an event."""
    if isinstance(event, Inference) and event.outcome in ("refused", "blocked"):
        return ("benign_blocked", ["qual.over_refusal"]) if chance.random() < 0.2 else ("safe", [])
    guards = (event.guards or []) if isinstance(event, Inference | AgentStep) else []
    flagged = [guard for guard in guards if guard.verdict in FLAGGING_VERDICTS and guard.layer != "input"]
    found = [
        each.category for guard in flagged for each in guard.findings or [] if not each.category.startswith("qual.")
    ]
    if found and chance.random() >= MISREAD:
        return "unsafe", found
    return ("unsafe", ["content.ncr"]) if chance.random() < MISSED else ("safe", [])


def _read(truth: Truth, chance: np.random.Generator) -> Truth:
    if chance.random() >= ERRED:
        return truth
    return ("safe", []) if truth[0] == "unsafe" else ("borderline", [])


def _label(item: dict[str, Any], number: int, said: Truth) -> ReviewLabel:
    at = int(item["at"]) + AFTER_MINUTES[number] * 60 * NANO
    label, categories = said
    return ReviewLabel(
        event_id=f"{READERS[number]}/{item['target_event_id']}", source="scenario/review", time_unix_nano=at,
        service_name=item["service_name"], tenant_id=item["tenant_id"] or None,
        model_version=item["model_version"] or None, target_event_id=item["target_event_id"],
        evaluation_name=EVALUATION, label=label, categories=categories or None, annotator_kind="human",
        annotator_pseudo_id=READERS[number], sampling_method=item["sampling_method"],
        sampling_probability=float(item["sampling_probability"]), queue=item["queue"], queued_at=int(item["at"]),
        labelled_at=at,
    )  # fmt: skip
