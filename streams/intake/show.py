"""An explained record as people read it."""

import json
from collections.abc import Iterator

from streams.dialects.translation import Event
from streams.intake.explain import Explained
from streams.watch.counted import Counted


def lines(found: Explained) -> Iterator[str]:
    """Yield the lines that tell what became of a record."""
    told = found.translation
    yield f"record at line {found.line}: {told.dialect if told.dialect != 'none' else 'taken for nothing'}"
    for number, counted in enumerate(found.counted):
        yield from _counted(counted, told.events[number] if number < len(told.events) else None)
    if not found.counted:
        yield "  no event comes of it"
    if told.dropped:
        yield f"  dropped: {', '.join(told.dropped)}"
    yield from (f"  warning: {warning}" for warning in told.warnings)


def _counted(counted: Counted, event: Event | None) -> Iterator[str]:
    if counted.refused:
        yield f"  refused: {counted.refused}: {counted.detail}"
    if event is not None:
        yield f"  event: {json.dumps(event, ensure_ascii=False)}"
    if counted.refused:
        return
    yield f"  counted as {counted.kind} of version {counted.version or '(none)'}, session {counted.session or '(none)'}"
    if counted.guards:
        yield f"  guards: {', '.join(counted.guards)}"
    if counted.categories:
        yield f"  categories: {', '.join(counted.categories)}"
    yield from (f"  {sentence}" for sentence in counted.why)
    if counted.pages:
        yield f"  it alone raises {counted.pages} page{'s' if counted.pages > 1 else ''}"
