"""Calls told lately, by which a second sight of one is known, in whatever trace it comes."""

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final

from schemas.fields import NANO
from streams.dialects.otlp.assembly.relatives import doubles
from streams.dialects.otlp.nodes import Node

LAG_NANO: Final = NANO
"""How long after the inner of two spans of a call the outer one may end: to be found, not to be a call."""

_Ended = tuple[int, str]


class Twins:
    """Calls that were told, found again by their answer, or by time among those of their process.

    Parameters
    ----------
    calls
        When each was told, and the call, as `calls` gives them.
    """

    def __init__(self, calls: Iterable[tuple[int, Node]] = ()) -> None:
        self.calls: deque[tuple[int, Node]] = deque()
        self._by_answer: dict[str, Node] = {}
        self._by_time: dict[str, dict[str, list[_Ended]]] = {}
        self._nodes: dict[str, Node] = {}
        for told, node in calls:
            self.remember(node, told)

    def find(self, node: Node) -> Node | None:
        """Return the call that this one is, seen by a second instrumentation; None for a new one."""
        known = self._by_answer.get(node.fields.get("response_id", ""))
        if known is not None and known.span_id != node.span_id and _same(node, known):
            return known
        if node.parent_id:
            return None
        return next((near for near in self._near(node) if _same(node, near)), None)

    def remember(self, node: Node, now: int) -> None:
        """Know a call from now on."""
        self.calls.append((now, node))
        if answer := node.fields.get("response_id"):
            self._by_answer[answer] = node
        if not node.parent_id:
            self._nodes[node.span_id] = node
            insort(self._by_time.setdefault(node.host, {}).setdefault(node.scope, []), (node.end, node.span_id))

    def forget(self, until: int) -> None:
        """Forget the calls that were told until then."""
        while self.calls and self.calls[0][0] <= until:
            node = self.calls.popleft()[1]
            if self._by_answer.get(node.fields.get("response_id", "")) is node:
                del self._by_answer[node.fields["response_id"]]
            if self._nodes.pop(node.span_id, None) is not None:
                scopes = self._by_time[node.host]
                ended = scopes[node.scope]
                del ended[bisect_left(ended, (node.end, node.span_id))]
                if not ended:
                    del scopes[node.scope]
                if not scopes:
                    del self._by_time[node.host]

    def _near(self, node: Node) -> Iterator[Node]:
        """Yield calls of other instrumentations in the same process that ended about when this one ran."""
        for scope, ended in self._by_time.get(node.host, {}).items():
            if scope != node.scope:
                first, last = bisect_left(ended, (node.start, "")), bisect_left(ended, (node.end + LAG_NANO, ""))
                yield from (self._nodes[span_id] for _, span_id in ended[first:last])


def _same(node: Node, known: Node) -> bool:
    return doubles(known, node) or (doubles(node, known) and node.scope not in known.seen)
