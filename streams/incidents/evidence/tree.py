"""A trace drawn as a tree of text: who did what, where it begins, and where it did harm."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from schemas.fields import NANO
from schemas.metrics import RATES

MOST_LINES: Final = 40
MOST_CHARACTERS: Final = 60


class Tree(NamedTuple):
    """The lines, and the levels from where it begins to the deepest harm, both counted; 0 where there is no harm."""

    lines: tuple[str, ...]
    depth: int


def drawn(steps: Sequence[dict[str, Any]]) -> Tree:
    """Return the steps of one trace as a tree.

    A step hangs under its parent span; where it names none that is there, under the latest step before it that is one
    level less deep, as they say themselves. Of more than `MOST_LINES` those stay that matter and what they hang under.

    Parameters
    ----------
    steps
        By time: `at` in Unix nanoseconds, `service_name`, `agent_name`, `what`, `name`, `span_id`, `parent_span_id`,
        `depth`, `host`, `texts`, `flagged`, `harm` and `start`.
    """
    parents = _parents(steps)
    levels = [len(list(_ancestors(parents, at))) for at in range(len(steps))]
    harms, starts = ([at for at, step in enumerate(steps) if int(step[mark])] for mark in ("harm", "start"))
    origin = starts[0] if starts else None
    depth = max((levels[at] - levels[origin] + 1 for at in harms if origin is not None), default=0)
    kept = _kept(parents, sorted({*harms, *starts}), len(steps))
    lines = list(_branches(steps, parents, kept, origin))
    if len(kept) < len(steps):
        lines.append(f"… {len(steps) - len(kept)} more")
    return Tree(tuple(lines), max(depth, 1) if harms else 0)


def _parents(steps: Sequence[dict[str, Any]]) -> list[int | None]:
    spans = {step["span_id"]: at for at, step in reversed(list(enumerate(steps))) if step["span_id"]}
    parents: list[int | None] = [None] * len(steps)
    for at, step in enumerate(steps):
        above = spans.get(step["parent_span_id"])
        if above is None and step["depth"] is not None:
            less = int(step["depth"]) - 1
            above = next((be for be in range(at - 1, -1, -1) if steps[be]["depth"] in (less, str(less))), None)
        if above is not None and at not in (above, *_ancestors(parents, above)):
            parents[at] = above
    return parents


def _ancestors(parents: Sequence[int | None], at: int) -> Iterator[int]:
    above = parents[at]
    while above is not None:
        yield above
        above = parents[above]


def _kept(parents: Sequence[int | None], marked: Sequence[int], count: int) -> set[int]:
    """Return the steps that are drawn: those that are marked first, each with what it hangs under."""
    kept: set[int] = set()
    for at in (*marked, *range(count)):
        more = {at, *_ancestors(parents, at)} - kept
        if len(kept) + len(more) <= MOST_LINES:
            kept |= more
    return kept


def _branches(
    steps: Sequence[dict[str, Any]], parents: Sequence[int | None], kept: set[int], origin: int | None
) -> Iterator[str]:
    children: dict[int | None, list[int]] = {}
    for at in sorted(kept):
        children.setdefault(parents[at], []).append(at)
    waiting = [(at, "", "") for at in reversed(children.get(None, []))]
    while waiting:
        at, stem, branch = waiting.pop()
        yield f"{stem}{branch}{_line(steps[at], begins=at == origin)}"
        stem += {"├─ ": "│  ", "└─ ": "   "}.get(branch, "")
        own = children.get(at, [])
        waiting += [(each, stem, "└─ " if each == own[-1] else "├─ ") for each in reversed(own)]


def _line(step: dict[str, Any], *, begins: bool) -> str:
    time = datetime.fromtimestamp(int(step["at"]) // NANO, UTC).strftime("%H:%M:%S")
    who, what = step["agent_name"] or step["service_name"], f"{step['what']} {step['name']}".strip()
    parts = [f"{time} {_plain(who)}: {_plain(what)}"]
    if step["host"]:
        parts.append(f"→ {_plain(step['host'])}")
    if step["texts"]:
        parts.append(f"← text of strangers: {_plain(', '.join(step['texts'][:3]))}")
    if begins:
        parts.append("◄ begins here")
    if int(step["harm"]):
        said = [rate.name for bit, rate in enumerate(RATES) if int(step["flagged"]) >> bit & 1]
        parts.append(f"✗ {', '.join(said) or 'harm'}")
    return " ".join(parts)


def _plain(text: str) -> str:
    """Return a text of others on one line: what can't be printed is a question mark, and what is long is cut."""
    shown = "".join(each if each.isprintable() else "?" for each in text[:MOST_CHARACTERS])
    return f"{shown}…" if len(text) > MOST_CHARACTERS else shown
