"""What is wanted held against what is there: the steps from one to the other, in an order that may end anywhere.

Each step is one call, and leaves a Grafana that works: a contact point is made before a route names it and removed
after the last one did. So a run that broke off is mended by running again, with what is left of the steps.
"""

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from dashboards.grafana.shapes import PREFIX, Item, Object, facts, is_ours, seen

Found = Mapping[tuple[str, str], Object]
"""What Grafana has, by kind and uid."""

_DONE: Final = {"create": "created", "change": "changed", "remove": "removed"}


@dataclass(frozen=True, slots=True)
class Step:
    """One call that writes: what is there, what shall be, and what is sent for it."""

    kind: str
    uid: str
    before: Object | None
    after: Object | None
    body: Object

    @property
    def action(self) -> str:
        """Return what is done: create, change or remove."""
        if self.before is None:
            return "create"
        return "remove" if self.after is None else "change"

    def done(self) -> str:
        """Return the line that says that it was done."""
        return f"{_DONE[self.action]} {self.kind} {self.uid}"

    def diff(self) -> str:
        """Return a unified diff of the facts; of what goes, only that it does."""
        before, after = (_lines(side) for side in (self.before, self.after))
        name = f"{self.kind} {self.uid}"
        return "".join(difflib.unified_diff(before, after, f"{name} (in Grafana)", f"{name} (in the files)"))


def plan(wanted: Sequence[Item], found: Found, *, secrets: bool = False) -> list[Step]:
    """Return the steps; none where nothing differs.

    Parameters
    ----------
    wanted
        Everything that shall be, what others need first.
    found
        Everything of these kinds that is there, ours or not.
    secrets
        Send what holds secrets in any case: Grafana does not show whether they differ.
    """
    steps = [step for item in wanted for step in _step(item, found.get((item.kind, item.uid)), secrets=secrets)]
    writes = [step for step in steps if step.kind != "rule group"]
    groups = [step for step in steps if step.kind == "rule group"]
    gone = {kind: list(_retired(kind, wanted, found)) for kind in ("rule", "board", "contact point")}
    return [*writes, *gone["rule"], *groups, *gone["board"], *gone["contact point"]]


def _step(item: Item, there: Object | None, *, secrets: bool) -> Iterator[Step]:
    after = facts(item.kind, item.body)
    if there is None:
        yield Step(item.kind, item.uid, None, after, item.body)
        return
    before = seen(after, facts(item.kind, there))
    if before != after or (secrets and item.secret):
        yield Step(item.kind, item.uid, before, after, _merged(item, there))


def _retired(kind: str, wanted: Sequence[Item], found: Found) -> Iterator[Step]:
    kept = {item.uid for item in wanted if item.kind == kind}
    kept |= {rule["uid"] for item in wanted if item.kind == "rule group" for rule in item.body["rules"]}
    for (found_kind, uid), there in found.items():
        if found_kind == kind and uid.startswith(PREFIX) and uid not in kept:
            title = there.get("title") or there.get("name") or there["dashboard"]["title"]
            yield Step(kind, uid, {"title": title}, None, {})


def _merged(item: Item, there: Object) -> Object:
    """Return what is sent in the place of something that others may have a part in."""
    if item.kind == "policy":
        return there | {"routes": with_routes(there.get("routes") or [], item.body["routes"])}
    if item.kind == "rule group":
        foreign = [rule for rule in there["rules"] if not rule["uid"].startswith(PREFIX)]
        return item.body | {"rules": [*item.body["rules"], *foreign]}
    if item.kind == "data source":
        return there | item.body | {"jsonData": (there.get("jsonData") or {}) | item.body["jsonData"]}
    return item.body


def with_routes(there: Sequence[Object], ours: Sequence[Object]) -> list[Object]:
    """Return routes with ours in the place of the first of ours, else before all: the first that matches decides.

    >>> mine, old = ({"receiver": name, "object_matchers": [["source", "=", "watchkeeper"]]} for name in ("new", "old"))
    >>> [route["receiver"] for route in with_routes([{"receiver": "a"}, old, {"receiver": "b"}, old], [mine])]
    ['a', 'new', 'b']
    """
    place = next((index for index, route in enumerate(there) if is_ours(route)), 0)
    foreign = [route for route in there if not is_ours(route)]
    return [*foreign[:place], *ours, *foreign[place:]]


def _lines(side: Object | None) -> list[str]:
    if side is None:
        return []
    return [*json.dumps(side, indent=1, sort_keys=True, ensure_ascii=False).splitlines(keepends=True), "\n"]
