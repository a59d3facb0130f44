"""OpenLIT's guards."""

from typing import Any, Final, Unpack

from ...guards import GuardResult
from ..reading import Node, snake
from ..results import Given, Judged, failed, finding, guard_results, probability
from ..words import NONE, Opinion, table

_TABLE: Final = table("openlit")


def guards_from_openlit(response: Any, **given: Unpack[Given]) -> list[GuardResult]:
    """Return what a guard of OpenLIT said.

    Parameters
    ----------
    response
        A guard's result, its event with attributes such as ``guard.action``, or an older one with ``verdict: yes``.
    given
        What the caller knows.

    Raises
    ------
    ValueError
        Where the response has another shape.

    Examples
    --------
    >>> event = {"guard.name": "prompt_injection", "guard.phase": "preflight", "guard.action": "deny",
    ...          "guard.score": 0.9, "guard.classification": "instruction-override"}
    >>> [result] = guards_from_openlit(event)
    >>> result.layer, result.action, result.findings[0].category
    ('input', 'blocked', 'sec.prompt_injection.direct')
    """
    root = Node(response, "openlit")
    name = root.get("guard.name", "guard_name", "guard").word() or "openlit"
    action, verdict = root.get("guard.action", "action").word(), root.get("verdict").word()
    phase, latency = root.get("guard.phase", "phase").word(), root.get("guard.latency_ms", "latency_ms").number()
    fields: dict[str, Any] = {
        "guard_provider": "openlit", "layer": _TABLE.words["phase"].get(phase or "", "unknown"), "native_source": phase,
        "native_result_type": "action" if action else "verdict", "native_result_value": action or verdict,
        "latency_ms": None if latency is None else max(0.0, latency),
    }  # fmt: skip
    if action is None and verdict is None:
        return failed(_TABLE, given, guard_name=name, **fields)
    opinion = _TABLE.opinion("action", action) if action else Opinion("flag" if verdict == "yes" else "allow", "none")
    score = root.get("guard.score", "score").number()
    word = root.get("guard.classification", "classification").word()
    known = [one for one in (word, name) if one and snake(one) in _TABLE.categories["openlit"]]
    native = next(iter(known), word or name)
    if _TABLE.category("openlit", snake(native)) == NONE:
        native = name
    found = finding(_TABLE, "openlit", snake(native), word or name, **probability(score))
    return guard_results(
        _TABLE, [] if opinion.verdict == "allow" else [Judged(opinion, found)], given, guard_name=name, **fields
    )
