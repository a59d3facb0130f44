"""Results of the contract from what a vendor said: one for each verdict and action, findings inside."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple, TypedDict

from msgspec.structs import replace

from ..guards import GuardFinding, GuardResult
from .reading import snake
from .words import NONE, Opinion, Table, table

ALLOW: Final = Opinion("allow", "none")
FLAG: Final = Opinion("flag", "unknown")
"""A guard that only advises: what was done about it, its caller knows."""
UNREADABLE: Final = Opinion("unknown", "unknown")

_ORDER: Final = ("block", "escalate", "redact", "flag", "unknown", "allow")


class Given(TypedDict, total=False):
    """What the caller knows and the vendor's answer does not say; all may be left out.

    `action` is what the caller did about a finding of a guard that only advises. `flag_from` is the severity (1 if left
    out) from which a finding that was only annotated counts as one.
    """

    guard_name: str
    guard_version: str
    layer: str
    mode: str
    action: str
    fail_mode: str
    policy_id: str
    policy_version: str
    latency_ms: float
    content_hash: str
    chunk_index: int
    flag_from: int


class Judged(NamedTuple):
    """One thing that a guard said: what it thinks and does about it, and what it found, if it names it."""

    opinion: Opinion
    finding: GuardFinding | None = None


def finding(words: Table, taxonomy: str, native: str | None, named: str | None = None, **fields: Any) -> GuardFinding:
    """Return a finding in our words, with the native pair beside it.

    Parameters
    ----------
    native
        The vendor's code, by which ours is found.
    named
        What to keep of it, where a customer's own name says more, such as that of a topic.
    fields
        More fields of the finding; those that are None are left out.
    """
    known = {name: value for name, value in fields.items() if value is not None}
    category = words.category(taxonomy, native)
    return GuardFinding(category=category, native_category=named or native, native_taxonomy=taxonomy, **known)


def probability(score: float | None) -> dict[str, Any]:
    """Return the fields of a score that is a probability, where there is one.

    >>> probability(0.5), probability(None)
    ({'score': 0.5, 'score_kind': 'probability'}, {})
    """
    return {} if score is None else {"score": score, "score_kind": "probability"}


def own_finding(native: str | None, categories: Mapping[str, str] | None, **fields: Any) -> GuardFinding:
    """Return a finding of a guard that people made themselves and that names what it found in words of theirs.

    Parameters
    ----------
    native
        Their word: a category, or the name of the guard.
    categories
        Their words, and our codes for them; without one an everyday word is understood (`data/common.json`).
    fields
        More fields of the finding.
    """
    own = (categories or {}).get(native or "")
    found = finding(table("common"), "common", snake(native or ""), native, **fields)
    return replace(found, category=own or found.category, native_taxonomy="own" if own else "common")


def guard_results(
    words: Table, judged: Iterable[Judged], given: Given, *, guard_name: str, **fields: Any
) -> list[GuardResult]:
    """Return a result for each verdict and action that was said, the gravest first; one that allows where none was.

    Parameters
    ----------
    words
        Whose words were read.
    judged
        What was found. Findings of category `none` are left out.
    given
        What the caller knows; it goes before `guard_name` and `fields`.
    fields
        More fields of the results; those that are None are left out.
    """
    groups: dict[Opinion, list[GuardFinding]] = {}
    for opinion, found in judged:
        if _counts(opinion, found, given):
            groups.setdefault(_acted(opinion, given), []).extend([found] if found else [])
    if any(opinion.verdict != "allow" for opinion in groups):
        groups.pop(ALLOW, None)
    known = _known(words, given, guard_name, {"status": "ok"} | fields)
    return [
        GuardResult(**known, verdict=opinion.verdict, action=opinion.action, findings=found or None)
        for opinion, found in sorted((groups or {ALLOW: []}).items(), key=lambda group: _rank(group[0]))
    ]


def failed(words: Table, given: Given, *, guard_name: str, status: str = "error", **fields: Any) -> list[GuardResult]:
    """Return the result of a guard that gave no opinion."""
    return [GuardResult(**_known(words, given, guard_name, {"status": status} | fields))]


def _known(words: Table, given: Given, guard_name: str, fields: dict[str, Any]) -> dict[str, Any]:
    own = {"guard_name": guard_name, "layer": "unknown", "mapping_version": words.mapping_version}
    return {
        name: value
        for name, value in (own | {k: v for k, v in fields.items() if v is not None} | given).items()
        if value is not None and name not in ("action", "flag_from")
    }


def _counts(opinion: Opinion, found: GuardFinding | None, given: Given) -> bool:
    if found is None or opinion.verdict not in ("flag", "allow"):
        return found is None or found.category != NONE
    below = found.severity is not None and found.severity < given.get("flag_from", 1)
    return found.category != NONE and not below


def _acted(opinion: Opinion, given: Given) -> Opinion:
    if opinion.action != "unknown":
        return opinion
    action = given.get("action", "unknown")
    taken_out = opinion.verdict == "flag" and action in ("redacted", "replaced")
    return Opinion("redact" if taken_out else opinion.verdict, action)


def _rank(opinion: Opinion) -> int:
    return _ORDER.index(opinion.verdict) if opinion.verdict in _ORDER else len(_ORDER)
