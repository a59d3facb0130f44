"""What of a trace is ready to be told, and what its spans say of each other."""

from collections.abc import Iterable

from msgspec import Struct, field

from schemas.guards import FLAGGING_VERDICTS
from streams.dialects.otlp.assembly.events import verdict_of
from streams.dialects.otlp.assembly.relatives import (
    Nodes,
    ancestors,
    depth,
    fill,
    inherit,
    innermost,
    insides,
    is_resolved,
    owner,
)
from streams.dialects.otlp.assembly.verdict_targets import target_of
from streams.dialects.otlp.kinds import STEPS
from streams.dialects.otlp.mapping.extras import Extra
from streams.dialects.otlp.mapping.outcomes import SPOKEN
from streams.dialects.otlp.nodes import Node, absorb
from streams.dialects.translation import Event

_ERROR = 2
_EVIDENCE = ("response_id", "finish_reasons", "usage_input_tokens", "usage_output_tokens")
_JUDGES = ("guard", "evaluation")


class Late(Struct, gc=False):
    """What a log record says, with a node that can stand for its span, should that never come."""

    node: Node
    extra: Extra


class Trace(Struct, gc=False):
    """The spans of a trace that are remembered, by id, and the log records that wait for theirs."""

    nodes: dict[str, Node] = field(default_factory=dict)
    logs: list[Late] = field(default_factory=list)
    last: int = 0

    def waits(self) -> bool:
        """Tell whether anything has not been told yet."""
        return bool(self.logs) or any(not node.done for node in self.nodes.values())


class Told(Struct, frozen=True, gc=False):
    """A span that becomes an event, the event that it lies beneath, and how deep."""

    node: Node
    parent_id: str
    depth: int


def is_silent(node: Node) -> bool:
    """Tell whether a call says nothing of how it ended: a log record may, as with OpenTelemetry's own for OpenAI."""
    return (
        node.role == "call"
        and not (node.done or node.fault or node.refused or node.guards)
        and node.status != _ERROR
        and not ("finish_reasons" in node.fields or "outcome" in node.fields)
        and node.fields.get("operation_name") in SPOKEN
    )


def _goes_with_calls(node: Node) -> bool:
    """Tell whether a span waits where a call of its trace does; an objection never does."""
    if node.role in _JUDGES:
        return not any(guard.get("verdict") in FLAGGING_VERDICTS for guard in node.guards)
    return node.role == "call"


def finish(trace: Trace, now: int, settled: int, waited: int) -> tuple[list[Told], list[Event]]:
    """Return what is ready: spans that miss nothing, spans that waited too long, and verdicts that travel alone.

    Parameters
    ----------
    trace
        Is changed: what is returned counts as told.
    now
        What arrived before this and misses no relative is ready.
    settled
        What arrived after this waits for a log record, with the other calls of its trace, if it is a silent call.
    waited
        What arrived until this is ready whatever it misses.
    """
    alone = _take_logs(trace, waited) if trace.logs else []
    nodes = trace.nodes
    held = settled < now and any(node.arrived > settled and is_silent(node) for node in nodes.values())
    ready = [
        node
        for node in nodes.values()
        if not node.done
        and (
            node.arrived <= waited
            or (node.arrived < now and not (held and _goes_with_calls(node)) and is_resolved(nodes, node))
        )
    ]
    if not ready:
        return [], alone
    if len(nodes) > 1:
        _merge(nodes, {node.span_id for node in ready})
        _spread_faults(nodes, ready)
        inherit(nodes, ready)
    if any(node.role in _JUDGES for node in ready):
        alone += _place_verdicts(nodes, ready)
    told = []
    for node in ready:
        if not node.done:
            node.done = "given"
            told.append(node)
    if len(nodes) == 1:
        return [Told(node, node.parent_id, 0) for node in told if node.role], alone
    return [Told(node, _event_above(nodes, node), depth(nodes, node)) for node in told if node.role], alone


def _take_logs(trace: Trace, waited: int) -> list[Event]:
    """Add log records to the spans that they name; what named no span in time stands alone or is dropped."""
    alone: list[Event] = []
    kept: list[Late] = []
    for late in trace.logs:
        node = trace.nodes.get(late.node.span_id)
        if node is not None and not node.done:
            absorb(node, late.extra)
        elif node is None and late.node.arrived > waited:
            kept.append(late)
        elif node is None and late.extra.whole:
            trace.nodes[late.node.span_id] = late.node
            absorb(late.node, late.extra)
        else:
            alone += verdicts_alone(late, node, trace.nodes)
    trace.logs = kept
    return alone


def verdicts_alone(late: Late, target: Node | None, nodes: Nodes) -> list[Event]:
    """Return the verdicts of a log record that came without its span, or after it."""
    inherit(nodes, [late.node])
    if target is not None:
        late.node.context = target.context | late.node.context
    return [verdict_of(late.node, guard, target, late.extra.response_id) for guard in late.extra.guards]


def _merge(nodes: Nodes, ready: set[str]) -> None:
    """Let one span stand for each call and tool that several spans saw."""
    inside = insides(nodes)
    outers = sorted((nodes[outer] for outer in inside), key=lambda node: (-node.start, node.end, node.span_id))
    for outer in outers:
        leaves = innermost(inside, outer)
        if outer.done == "given":
            for leaf in leaves:
                leaf.done = leaf.done or "merged"
        elif outer.span_id in ready:
            outer.done = "merged"
            leaves = _made(leaves)
            if len(leaves) == 1 and not leaves[0].done:
                fill(leaves[0], outer)


def _made(leaves: list[Node]) -> list[Node]:
    """Return the spans within one that made a call; one before them that says nothing of an answer prepared it."""
    answered = [leaf for leaf in leaves if leaf.status == _ERROR or any(name in leaf.fields for name in _EVIDENCE)]
    made = []
    for leaf in leaves:
        if leaf.role != "call" or leaf in answered or not any(leaf.end <= other.start for other in answered):
            made.append(leaf)
        else:
            leaf.done = leaf.done or "merged"
    return made


def _spread_faults(nodes: Nodes, ready: Iterable[Node]) -> None:
    """Let what ended an agent's run tell how its last call ended, and which of its guards tripped."""
    for node in ready:
        if node.tripped:
            _trip(nodes, node)
        elif node.fault in ("refused", "filtered") and node.role in ("agent", "workflow", "chain", ""):
            calls = [call for call in nodes.values() if call.role == "call" and node in ancestors(nodes, call)]
            last = max((call for call in calls if not call.done), key=lambda call: (call.end, call.start), default=None)
            if last is not None and not last.fault:
                last.fault = node.fault


def _trip(nodes: Nodes, node: Node) -> None:
    for guard in nodes.values():
        if guard.role == "guard" and not guard.done and node in ancestors(nodes, guard):
            for result in guard.guards:
                if result["guard_name"] == node.tripped and "verdict" not in result:
                    result |= {"verdict": "block", "action": "aborted"}


def _place_verdicts(nodes: Nodes, ready: list[Node]) -> list[Event]:
    """Put each verdict into the event that it judged, or let it travel alone with that event's id."""
    alone: list[Event] = []
    calls = [node for node in nodes.values() if node.role == "call" and node.done != "merged"]
    judges = [node for node in ready if node.role in _JUDGES and not node.done]
    for judge in judges:
        judge.done = "given"
        if _says_nothing(judge) and _has_relative(nodes, judge):
            continue
        target = target_of(nodes, judge, calls)
        if target is not None and not target.done and target in ready:
            target.guards += judge.guards
        else:
            alone += [verdict_of(judge, guard, target) for guard in judge.guards]
    return alone


def _says_nothing(judge: Node) -> bool:
    return all(guard["status"] == "ok" and "verdict" not in guard for guard in judge.guards)


def _has_relative(nodes: Nodes, judge: Node) -> bool:
    """Tell whether another judge lies above or beneath: a step of a guard is no guard of its own."""
    above = owner(nodes, judge)
    return (above is not None and above.role in _JUDGES) or any(
        node.role in _JUDGES and owner(nodes, node) is judge for node in nodes.values()
    )


def _event_above(nodes: Nodes, node: Node) -> str:
    """Return the id of the nearest span above that is an event, the parent's where none is known."""
    for above in ancestors(nodes, node):
        if above.done != "merged" and (above.role in ("call", "retrieval", *STEPS)):
            return above.span_id
    return node.parent_id
