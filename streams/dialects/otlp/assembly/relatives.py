"""A span among the others of its trace: whose child it is, what it takes over, and which spans are one call."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from streams.dialects.otlp.kinds import STEPS
from streams.dialects.otlp.nodes import Node

Nodes = Mapping[str, Node]
MAX_ANCESTORS: Final = 200
_LINKS: Final = ("", "chain")
_INHERITED: Final = ("conversation_id", "session_id", "user_pseudo_id")


def ancestors(nodes: Nodes, node: Node) -> Iterator[Node]:
    """Yield parent, grandparent and so on as far as they are known; a circle of parents ends."""
    seen = {node.span_id}
    while (
        (parent := nodes.get(node.parent_id)) is not None and parent.span_id not in seen and len(seen) < MAX_ANCESTORS
    ):
        seen.add(parent.span_id)
        yield parent
        node = parent


def is_resolved(nodes: Nodes, node: Node) -> bool:
    """Tell whether a span's ancestors are known up to a root, or to where another process called this one.

    A span that another process called waits for that process, unless it only ties others together: it may be the other
    half of a call or a tool.
    """
    top = node
    for top in ancestors(nodes, node):
        if top.done:
            return True
    return not top.parent_id or (top.remote and top.role in _LINKS)


def owner(nodes: Nodes, node: Node) -> Node | None:
    """Return the nearest ancestor that is more than a tie."""
    return next((above for above in ancestors(nodes, node) if above.role not in _LINKS), None)


def one_call(outer: Node, inner: Node) -> bool:
    """Tell whether two spans can be one call or one tool, seen from outside and from inside."""
    if outer.role != inner.role:
        return False
    if outer.role == "mcp":
        return outer.fields.get("labels") == inner.fields.get("labels")
    if outer.role == "retrieval":
        return True
    name = {"call": "operation_name", "tool": "tool_name"}.get(outer.role)
    if name is None:
        return False
    theirs, ours = (_family(node.fields.get(name)) for node in (outer, inner))
    return theirs is None or ours is None or theirs == ours


def _family(operation: str | None) -> str | None:
    """Return one name for operations that answer a prompt: instrumentations do not agree on which is which."""
    return "chat" if operation in ("chat", "generate_content", "text_completion") else operation


def doubles(outer: Node, inner: Node) -> bool:
    """Tell whether two spans that are not parent and child are one call, emitted by two instrumentations.

    They come of different scopes in one process, one within the time of the other, and contradict each other in
    neither model nor answer. Two spans of one answer are one call wherever they come from.
    """
    if outer.role != "call" or not one_call(outer, inner):
        return False
    answers = {node.fields.get("response_id") for node in (outer, inner)}
    if len(answers) == 1 and None not in answers:
        together = outer.start <= inner.end and inner.start <= outer.end
        return together or outer.scope != inner.scope or outer.host != inner.host  # else it came of a cache
    if len(answers - {None}) > 1 or outer.scope == inner.scope or outer.host != inner.host:
        return False
    within = outer.start <= inner.start and inner.end <= outer.end
    models = {node.fields.get("request_model") for node in (outer, inner)} - {None}
    return within and len(models) < 2


def insides(nodes: Nodes) -> dict[str, list[Node]]:
    """Return by the id of an outer span the inner ones that are the same call or tool, nearest first."""
    found: dict[str, list[Node]] = {}
    candidates = [node for node in nodes.values() if node.role in ("call", "tool", "mcp", "retrieval")]
    for node in candidates:
        above = owner(nodes, node)
        if above is not None and one_call(above, node):
            found.setdefault(above.span_id, []).append(node)
    taken = {inner.span_id for inners in found.values() for inner in inners}
    calls = [
        node for node in candidates if node.role == "call" and node.span_id not in taken and node.span_id not in found
    ]
    for outer, inner in _pairs(calls):
        found.setdefault(outer.span_id, []).append(inner)
    return found


def _pairs(calls: list[Node]) -> Iterator[tuple[Node, Node]]:
    """Pair siblings that are one call, each once, the one that ended last as the outer."""
    ordered = sorted(calls, key=lambda node: (node.end, -node.start, node.span_id))
    taken: set[str] = set()
    for position, inner in enumerate(ordered):
        for outer in ordered[position + 1 :]:
            if inner.span_id in taken or outer.span_id in taken or outer.parent_id != inner.parent_id:
                continue
            if doubles(outer, inner):
                taken |= {inner.span_id, outer.span_id}
                yield outer, inner


def innermost(inside: Mapping[str, list[Node]], node: Node) -> list[Node]:
    """Return the spans that stand for a call: the innermost ones, itself where there is none inside."""
    leaves: list[Node] = []
    stack, seen = [node], set()
    while stack:
        at = stack.pop()
        if at.span_id in seen:
            continue
        seen.add(at.span_id)
        inner = inside.get(at.span_id)
        if inner:
            stack.extend(reversed(inner))
        else:
            leaves.append(at)
    return leaves


def fill(leaf: Node, outer: Node) -> None:
    """Give the span that stands for a call what only the outer one says."""
    for name, value in outer.fields.items():
        leaf.fields.setdefault(name, value)
    if leaf.copy:
        leaf.fields |= {name: outer.fields[name] for name in ("response_id", "response_model") if name in outer.fields}
    for name, value in outer.context.items():
        leaf.context.setdefault(name, value)
    leaf.guards += outer.guards
    leaf.refused = leaf.refused or outer.refused
    leaf.fault = leaf.fault or outer.fault


def inherit(nodes: Nodes, node: Node) -> None:
    """Let a span take over from its ancestors whom it served, and which agent and model it belongs to."""
    above = list(ancestors(nodes, node))
    for name in _INHERITED:
        if name not in node.context and (value := _nearest(above, name) or _agreed(nodes.values(), name)):
            node.context[name] = value
    modelless = node.role == "call" and not {"request_model", "response_model"} & node.fields.keys()
    if modelless and (model := _nearest(above, "request_model")):
        node.fields["request_model"] = model
    for role, name in (("agent", "agent_name"), ("workflow", "workflow_name")):
        if node.role in ("call", *STEPS) and node.role != role:
            value = next((up.fields[name] for up in above if up.role == role and name in up.fields), None)
            if value is not None:
                node.fields[name] = value


def _nearest(above: Iterable[Node], name: str) -> str | None:
    return next((node.context[name] for node in above if name in node.context), None)


def _agreed(nodes: Iterable[Node], name: str) -> str | None:
    """Return what all spans of the trace that say anything agree on."""
    said = {node.context[name] for node in nodes if name in node.context}
    return said.pop() if len(said) == 1 else None


def depth(nodes: Nodes, node: Node) -> int:
    """Return how many steps a step lies beneath."""
    return sum(above.role in STEPS and above.done != "merged" for above in ancestors(nodes, node))
