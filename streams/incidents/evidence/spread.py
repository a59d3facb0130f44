"""How far the harm of an incident spread through traces of agents: where it begins, whom and what it touched."""

from typing import Any, Final

from msgspec import Struct

from streams.incidents.evidence.tree import drawn
from streams.text.shares import figures

MOST_NAMES: Final = 5


class Remembered(Struct, frozen=True):
    """An item of a memory that was written in the traces of an incident, and read on in others.

    `against` says what is wrong with the write: poisoned, or tainted. `reads` are those in other traces, `answers`
    those that came after a read in its trace.
    """

    item: str
    against: str
    reads: int
    answers: int


class Spread(Struct, frozen=True, omit_defaults=True):
    """What the traces come to in which the events of an incident lie, and one of them, drawn.

    `harms` are the events that the incident is about, `most` as many as one trace has of them; `depth` is how many
    levels of the drawn trace lie between where it begins and its deepest harm, both counted. `origins` are the first
    steps in which harm shows or text of strangers comes in, with the traces that begin so, most of them first.
    """

    traces: int
    harms: int
    most: int
    users: int
    tenants: int
    services: list[str]
    agents: list[str]
    tools: list[str]
    origins: list[tuple[str, int]]
    cost_usd: float | None = None
    depth: int = 0
    trace_id: str = ""
    tree: list[str] = []
    memory: list[Remembered] = []


def spread(
    counted: list[dict[str, Any]], steps: list[dict[str, Any]], memory: list[dict[str, Any]] | None = None
) -> Spread | None:
    """Return how far an incident spread; None where no step of an agent has part in it.

    Parameters
    ----------
    counted, steps, memory
        The answers to the questions `spread`, `trace` and `memory`.
    """
    row = counted[0] if counted else {}
    if not int(row.get("traces", 0)):
        return None
    names, numbers = row["origins"]
    origins = sorted(zip(names, map(int, numbers), strict=True), key=lambda each: (-each[1], each[0]))
    own = [step for step in steps if step["trace_id"] == steps[0]["trace_id"]]
    tree = drawn(own)
    return Spread(
        traces=int(row["traces"]),
        harms=int(row["harms"]),
        most=int(row["most"]),
        users=int(row["users"]),
        tenants=int(row["tenants"]),
        services=row["services"],
        agents=row["agents"],
        tools=row["tools"],
        origins=origins[:MOST_NAMES],
        cost_usd=None if row["cost_usd"] is None else float(row["cost_usd"]),
        depth=tree.depth,
        trace_id=own[0]["trace_id"] if own else "",
        tree=list(tree.lines),
        memory=[
            Remembered(row["item"], row["against"], int(row["reads"]), int(row["answered"])) for row in memory or ()
        ],
    )


def words(found: Spread) -> str:
    """Return how far it spread in one line.

    >>> found = Spread(2, 5, 4, 3, 1, ["shop"], ["planner", "mailer"], ["send"], [("planner: read", 2)], 0.125, 3)
    >>> for part in words(found).split("; "):
    ...     print(part)
    5 harmful steps in 2 traces, at most 4 in one, 3 levels deep
    1 service (shop), 2 agents (planner, mailer), 1 tool (send), 3 users, 1 tenant, $0.125
    begins at planner: read (2 of 2 traces)
    """
    parts = [
        *(_named(found, name) for name in ("services", "agents", "tools") if getattr(found, name)),
        _many(found.users, "user"),
        _many(found.tenants, "tenant"),
        *([] if found.cost_usd is None else [f"${figures(found.cost_usd, 3)}"]),
    ]
    deep = f", {_many(found.depth, 'level')} deep" if found.depth else ""
    begins = ", ".join(f"{name} ({number} of {_many(found.traces, 'trace')})" for name, number in found.origins[:2])
    harms = f"{_many(found.harms, 'harmful step')} in {_many(found.traces, 'trace')}, at most {found.most} in one{deep}"
    return "; ".join(filter(None, (harms, ", ".join(parts), begins and f"begins at {begins}", _on(found.memory))))


def _on(memory: list[Remembered]) -> str:
    """Return how a memory carried it on, in words.

    >>> _on([Remembered("ops/note", "poisoned", 2, 1)])
    'read on from memory: ops/note (poisoned) by 2 steps in other traces, before 1 answer'
    """
    read = [
        f"{each.item} ({each.against}) by {_many(each.reads, 'step')} in other traces, before "
        f"{_many(each.answers, 'answer')}"
        for each in memory
    ]
    return f"read on from memory: {', '.join(read)}" if read else ""


def _many(number: int, name: str) -> str:
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def _named(found: Spread, name: str) -> str:
    names: list[str] = getattr(found, name)
    more = ", …" if len(names) > MOST_NAMES else ""
    return f"{_many(len(names), name.removesuffix('s'))} ({', '.join(names[:MOST_NAMES])}{more})"
