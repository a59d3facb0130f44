"""Spans of several records, assembled as one: a child finds the root that came in another message."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from streams.dialects import spans
from streams.dialects.translation import Event, Translation
from streams.intake.reading import Read

Why = TypeVar("Why")


def together(block: Sequence[Read], found: list[tuple[Translation, Why]]) -> list[tuple[Translation, Why]]:
    """Return translations in which spans of all records know each other; each event is with the record of its span.

    Parameters
    ----------
    block
        The records.
    found
        What each of them became by itself, in the same order.
    """
    ours = [at for at, (translation, _) in enumerate(found) if translation.dialect == spans.NAME]
    if len(ours) < 2:
        return found
    held = {at: spans.records_of(block[at].value) for at in ours}
    place = {(one.trace_id, one.span_id): at for at in reversed(ours) for one in held[at]}
    events: dict[int, list[Event]] = {at: [] for at in ours}
    for event in spans.translate_all([one for at in ours for one in held[at]]).events:
        owner = place.get((event.get("trace_id", ""), event.get("span_id", "")))
        events[ours[-1] if owner is None else owner].append(event)
    return [
        (replace(translation, events=tuple(events[at])) if at in events else translation, why)
        for at, (translation, why) in enumerate(found)
    ]
