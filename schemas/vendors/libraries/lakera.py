"""Lakera Guard."""

from typing import Any, Final, Unpack

from ...guards import GuardFinding, GuardResult
from ..reading import Node
from ..results import FLAG, Given, Judged, finding, guard_results
from ..words import table

_TABLE: Final = table("lakera")


def guards_from_lakera(response: Any, **given: Unpack[Given]) -> list[GuardResult]:
    """Return what Lakera Guard found; it only advises, so give `action`, and `layer`.

    Parameters
    ----------
    response
        Of `/v2/guard` or `/v2/guard/results`. Only detectors that detected something are findings; the matches of the
        payload are counted by kind, their text is not kept.
    given
        What the caller knows.

    Raises
    ------
    ValueError
        Where the response has another shape.

    Examples
    --------
    >>> hit = {"detector_type": "prompt_attack", "detected": True}
    >>> miss = {"detector_type": "pii/email", "detected": False}
    >>> [result] = guards_from_lakera({"flagged": True, "breakdown": [hit, miss]}, layer="input", action="none")
    >>> [found.category for found in result.findings]
    ['sec.jailbreak']
    """
    root = Node(response, "lakera")
    matches: dict[str, int] = {}
    for item in root.get("payload").items():
        kind = item.get("detector_type").word() or "(unnamed)"
        matches[kind] = matches.get(kind, 0) + 1
    found = {kind: _finding(kind, None, count) for kind, count in matches.items()}
    for item in root.get("breakdown", "results").items():
        kind, level = item.get("detector_type").word() or "(unnamed)", item.get("result").word()
        if item.get("detected").flag():
            found[kind] = _finding(kind, level, matches.get(kind))
    flagged = root.get("flagged").flag()
    judged = [Judged(FLAG, one) for one in found.values()] or ([Judged(FLAG)] if flagged else [])
    return guard_results(
        _TABLE, judged, given, guard_name="lakera", guard_provider="lakera",
        guard_version=root.get("dev_info").get("model_version").word(),
        native_id=root.get("metadata").get("request_uuid").word(),
        native_result_type="flagged", native_result_value="true" if flagged else "false",
    )  # fmt: skip


def _finding(kind: str, level: str | None, count: int | None) -> GuardFinding:
    """Return a finding by its detector, by the detector's group where the detector itself is not listed."""
    group, _, entity = kind.partition("/")
    native = kind if kind in _TABLE.categories["lakera"] else group
    return finding(
        _TABLE, "lakera", native, kind, count=count, score_bucket=level,
        score_kind="confidence_bucket" if level else None,
        severity=_TABLE.severity("lakera", level.lower() if level else None),
        entity_type=_TABLE.entities.get(entity, entity) or None if group == "pii" else None,
    )  # fmt: skip
