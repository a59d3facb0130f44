"""Libraries of scanners: Presidio and LLM Guard."""

from typing import Any, Final, Unpack

from ...guards import GuardResult
from ..reading import Node, snake
from ..results import FLAG, Given, Judged, finding, guard_results, probability
from ..words import Opinion, table

_PRESIDIO: Final = table("presidio")
_LLM_GUARD: Final = table("llm_guard")


def guards_from_presidio(response: Any, *, threshold: float = 0.35, **given: Unpack[Given]) -> list[GuardResult]:
    """Return what personal data Presidio saw or took out, by kind and count.

    Its guesses overlap: an address of mail is a URL too, a number an account in three countries. Of those that overlap
    the surest counts, once.

    Parameters
    ----------
    response
        The list of the analyzer, or what the anonymizer returned with its `items`. A clean text gives an empty list.
    threshold
        Score below which a guess of the analyzer is none.
    given
        What the caller knows.

    Raises
    ------
    ValueError
        Where the response has another shape.

    Examples
    --------
    >>> seen = [{"entity_type": "EMAIL_ADDRESS", "start": 5, "end": 25, "score": 1.0},
    ...         {"entity_type": "URL", "start": 14, "end": 25, "score": 0.5}]
    >>> [result] = guards_from_presidio(seen, layer="output", action="none")
    >>> [(found.entity_type, found.count) for found in result.findings]
    [('EMAIL_ADDRESS', 1)]
    """
    root = Node(response, "presidio")
    kinds: dict[tuple[Opinion, str], list[float]] = {}
    if isinstance(root.value, dict):
        for item in root.get("items").items():
            operator = item.get("operator").word()
            opinion = _PRESIDIO.opinion("operator", operator) if operator else FLAG
            kinds.setdefault((opinion, item.get("entity_type").word() or "(unnamed)"), []).append(-1)
    else:
        for kind, score in _surest(root, threshold):
            kinds.setdefault((FLAG, kind), []).append(score)
    judged = []
    for (opinion, kind), scores in kinds.items():
        top = max(scores) if max(scores) >= 0 else None
        limits = {} if top is None else {"score": top, "score_kind": "probability", "threshold": threshold}
        found = finding(_PRESIDIO, "presidio", _listed(kind), kind, entity_type=kind, count=len(scores), **limits)
        judged.append(Judged(opinion, found))
    return guard_results(_PRESIDIO, judged, given, guard_name="presidio", guard_provider="microsoft")


def _listed(kind: str) -> str:
    """Return the name of a kind in the table: what a recogniser of somebody's own finds is personal data as well."""
    return kind if kind in _PRESIDIO.categories["presidio"] else "PERSON"


def _surest(guesses: Node, threshold: float) -> list[tuple[str, float]]:
    """Return kind and score of the guesses that overlap no surer one."""
    read = [
        (item.get("score").number(), item.get("start").number() or 0, item.get("end").number() or 0,
         item.get("entity_type").word() or "(unnamed)")
        for item in guesses.items()
    ]  # fmt: skip
    kept: list[tuple[float, float]] = []
    found = []
    for score, start, end, kind in sorted(read, key=lambda guess: (-(guess[0] or 0), guess[1] - guess[2], guess[3])):
        sure = 1.0 if score is None else score
        if sure >= threshold and not any(start < other and begin < end for begin, other in kept):
            kept.append((start, end))
            found.append((kind, sure))
    return found


def guards_from_llm_guard(
    response: Any, *, scanner: str | None = None, original: str | None = None, **given: Unpack[Given]
) -> list[GuardResult]:
    """Return what LLM Guard said; it only advises, so give `action`, and `layer`.

    `true` is clean there, and so is a score of -1. Scanners that came after the first finding did not run where it was
    told to fail fast, and are not in the answer.

    Parameters
    ----------
    response
        What `scan`, `scan_prompt` or `scan_output` returned, or the body of its API.
    scanner
        Name of the scanner, for an answer of one alone.
    original
        The text that was scanned, to see whether it was changed; it is not kept.
    given
        What the caller knows.

    Raises
    ------
    ValueError
        Where the response has another shape.

    Examples
    --------
    >>> clean, scores = {"Toxicity": True, "Secrets": False}, {"Toxicity": -1.0, "Secrets": 1.0}
    >>> [result] = guards_from_llm_guard(("hi", clean, scores))
    >>> result.verdict, [found.category for found in result.findings]
    ('block', ['sec.data_leakage.secret'])
    """
    text, valid, scores = _parts(Node(response, "llm_guard"), scanner)
    changed = None if original is None or text is None else text != original
    judged = []
    for name, clean in valid.items():
        score = scores.get(name)
        if not clean:
            kept = None if score is None or score < 0 else min(score, 1.0)
            found = finding(_LLM_GUARD, "llm_guard", snake(name), name, **probability(kept))
            judged.append(Judged(Opinion("block", "unknown"), found))
    if changed and not judged:
        judged.append(Judged(Opinion("redact", "redacted")))
    return guard_results(_LLM_GUARD, judged, given, guard_name="llm-guard", guard_provider="protectai",
                         content_modified=changed)  # fmt: skip


def _parts(root: Node, scanner: str | None) -> tuple[str | None, dict[str, bool], dict[str, float | None]]:
    """Return the text, and whether it is clean and its score by scanner."""
    if isinstance(root.value, dict):
        scores = {name[:256]: score.number() for name, score in root.get("scanners").fields().items()}
        clean = root.get("is_valid").flag()
        flags = {name: clean or (score or 0) <= 0 for name, score in scores.items()}
        if not clean and all(flags.values()):
            flags[scanner or "(unnamed)"] = False
        return root.get("sanitized_prompt", "sanitized_output").text() or None, flags, scores
    items = root.items()
    if len(items) != len(("text", "valid", "score")):
        raise root.error("text, verdict and score")
    text, valid, score = items
    if isinstance(valid.value, dict):
        flags = {name[:256]: value.flag() for name, value in valid.fields().items()}
        return text.text(), flags, {name[:256]: value.number() for name, value in score.fields().items()}
    name = scanner or "(unnamed)"
    return text.text(), {name: valid.flag()}, {name: score.number()}
