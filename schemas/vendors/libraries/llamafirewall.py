"""LlamaFirewall: one decision of several scanners, whose words stand in one sentence."""

import re
from typing import Any, Final, NamedTuple, Unpack

from ...guards import GuardFinding, GuardResult
from ..reading import Node
from ..results import Given, Judged, failed, finding, guard_results
from ..words import table

_TABLE: Final = table("meta")
_FAILED: Final = re.compile(r"\b(error|exception|timed out|unreachable)\b", re.IGNORECASE)
_PART: Final = re.compile(r"(?:^|; )(?:ScannerType\.)?(\w{1,64}): (.*?) - score: (-?[\d.]{1,20})", re.DOTALL)
_PATTERN: Final = re.compile(r"^Regex match: ([\w ]{1,64})$")


class Part(NamedTuple):
    """What one scanner said."""

    scanner: str | None
    reason: str
    score: float | None


def guards_from_llamafirewall(
    response: Any, *, scanner: str | None = None, role: str | None = None, **given: Unpack[Given]
) -> list[GuardResult]:
    """Return what LlamaFirewall decided; it only advises, so give `action`.

    Its `scan` reports success even where a scanner failed: then the decision is to allow, with a score of 0 and a
    reason that speaks of an error. That is a guard that failed, or one that ran in part where another scanner found
    nothing. The reason, which may hold the text, is read and not kept.

    Parameters
    ----------
    response
        A `ScanResult`, or its fields.
    scanner
        Which scanner it was of, where there was one; else `scanner` of the response, or what the reason names.
    role
        Whose message was scanned; else `role` of the response. It gives the layer.
    given
        What the caller knows.

    Raises
    ------
    ValueError
        Where the response has another shape.

    Examples
    --------
    >>> scan = {"decision": "allow", "score": 0.0, "status": "success", "reason": "scanner error: unreachable"}
    >>> guards_from_llamafirewall(scan)[0].status
    'error'
    >>> found = {"decision": "block", "score": 1.0, "status": "success", "reason": "Regex match: Email address"}
    >>> guards_from_llamafirewall(found, scanner="regex")[0].findings[0].entity_type
    'EMAIL_ADDRESS'
    """
    root = Node(response, "llamafirewall")
    decision, score = root.get("decision").word(), root.get("score").number()
    status = _TABLE.words["status"].get(root.get("status").word() or "success", "error")
    scanner, role = scanner or root.get("scanner").word(), role or root.get("role").word()
    fields: dict[str, Any] = {
        "guard_provider": "meta", "policy_rule_id": scanner, "native_source": role,
        "layer": _TABLE.words["role"].get(role or "", "unknown"),
        "native_result_type": "decision", "native_result_value": decision,
    }  # fmt: skip
    opinion = _TABLE.opinion("llamafirewall", decision)
    parts = _parts(root.get("reason").text(), scanner, score)
    broken = [part for part in parts if not part.score and _FAILED.search(part.reason)]
    if opinion.verdict == "allow" and broken and status == "ok":
        status = "error" if len(broken) == len(parts) else "partial"
    if decision is None or status not in ("ok", "partial"):
        status = status if status != "ok" else "error"
        return failed(_TABLE, given, guard_name="llamafirewall", status=status, **fields)
    found = [] if opinion.verdict == "allow" else [one for part in parts if part.score and (one := _finding(part))]
    judged = [Judged(opinion, one) for one in found] or ([] if opinion.verdict == "allow" else [Judged(opinion)])
    return guard_results(_TABLE, judged, given, guard_name="llamafirewall", status=status, **fields)


def _parts(reason: str, scanner: str | None, score: float | None) -> list[Part]:
    """Return what each scanner said; of one alone its reason is the whole sentence."""
    named = _PART.findall(reason) if scanner is None else []
    parts = [Part(name.lower(), said, _number(number)) for name, said, number in named]
    return parts or [Part(scanner, reason, score)]


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _finding(part: Part) -> GuardFinding | None:
    """Return what a scanner looks for; of the one with patterns, what its pattern is named after."""
    scored: dict[str, Any] = {"score": part.score, "score_kind": "probability" if part.score is not None else None}
    pattern = _PATTERN.match(part.reason.strip())
    if pattern:
        known = pattern[1] if pattern[1] in _TABLE.categories["llamafirewall_pattern"] else "pattern"
        entity = _TABLE.entities.get(pattern[1])
        return finding(_TABLE, "llamafirewall_pattern", known, pattern[1], entity_type=entity, **scored)
    return finding(_TABLE, "llamafirewall", part.scanner, **scored) if part.scanner else None
