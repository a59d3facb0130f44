"""What a guard judged, where the tree of spans tells."""

from collections.abc import Iterable

from streams.dialects.otlp.assembly.relatives import Nodes, ancestors
from streams.dialects.otlp.kinds import STEPS
from streams.dialects.otlp.nodes import Node


def target_of(nodes: Nodes, guard: Node, calls: Iterable[Node]) -> Node | None:
    """Return the call, else the step, that a guard's span belongs to; None where it could be any of several.

    Parameters
    ----------
    nodes
        Of the trace.
    guard
        A guard or an evaluation.
    calls
        Those of the trace that stand for themselves.
    """
    candidates = [call for call in calls if not _beneath(nodes, call, guard)]
    for above in ancestors(nodes, guard):
        if above in candidates:
            return above
        near = [call for call in candidates if _beneath(nodes, call, above) and not _judged_apart(nodes, call, above)]
        if len(near) == 1:
            return near[0]
        if above.role in STEPS:
            return above
    return None


def _beneath(nodes: Nodes, node: Node, above: Node) -> bool:
    return any(up is above for up in ancestors(nodes, node))


def _judged_apart(nodes: Nodes, call: Node, above: Node) -> bool:
    """Tell whether a call belongs to another guard that lies beneath the same span."""
    for up in ancestors(nodes, call):
        if up is above:
            return False
        if up.role in ("guard", "evaluation"):
            return True
    return False
