"""Guards: codes that nobody knows, verdicts about nothing, and outputs that nobody judged."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from schemas.categories import FAMILIES
from schemas.traps import ANSWERS, ENOUGH
from schemas.vocabulary import EVENT_WORDS, GUARD_WORDS
from streams.intake.doctor.complaint import Complaint, share
from streams.intake.doctor.look import Look, Row

SHOWN: Final = 5
"""Names of a list that are told."""

_NO_OUTPUT: Final = ("error", "blocked", "filtered", "cancelled")
_ANSWERS: Final = (*ANSWERS, None)
_OBJECTS: Final = ("flag", "redact", "block", "escalate")


def unknown_codes(look: Look) -> Iterator[Complaint]:
    """Yield categories and words that the contract does not know."""
    codes = Counter(
        str(finding.get("category"))
        for verdict in look.verdicts
        for finding in verdict.get("findings") or ()
        if isinstance(finding, dict) and finding.get("category") not in FAMILIES
    )
    if codes:
        advice = "they count as hazards without a family; map them to the codes of docs/categories.md"
        yield Complaint("codes", look.service, f"unknown categories: {_listed(codes)}", advice)
    words = Counter(
        f"{name} {row[name]!r}"
        for rows, known in ((look.calls + look.steps, EVENT_WORDS), (look.verdicts, GUARD_WORDS))
        for row in rows
        for name, allowed in known.items()
        if row.get(name) and row[name] not in allowed and name != "ingest_dialect"
    )
    if words:
        advice = "an event with a word that nobody knows is no trial of the rates that depend on it; send known ones"
        yield Complaint("words", look.service, f"unknown words: {_listed(words)}", advice)


def orphans(look: Look) -> Iterator[Complaint]:
    """Yield verdicts that travel alone and name no event that is there."""
    alone = [verdict for verdict in look.verdicts if verdict.get("alone")]
    ids = {str(row.get("event_id")) for row in look.calls + look.steps}
    traces = {str(row.get("trace_id")) for row in look.calls + look.steps if row.get("trace_id")}
    lost = sum(not _meets(verdict, ids, traces) for verdict in alone)
    if lost and lost > 0.05 * len(alone):
        advice = "send target_event_id, or response_id or trace and span of what was judged"
        yield Complaint("orphans", look.service, f"{share(lost, len(alone))} verdicts meet no event", advice)


def _meets(verdict: Row, ids: set[str], traces: set[str]) -> bool:
    return (
        str(verdict.get("target_event_id")) in ids
        or str(verdict.get("trace_id")) in traces
        or bool(verdict.get("target_id"))
    )


def coverage(look: Look) -> Iterator[Complaint]:
    """Yield outputs that no guard judged, and guards that run without saying anything."""
    outputs = [
        call for call in look.calls
        if call.get("outcome") not in _NO_OUTPUT and call.get("operation_name") in _ANSWERS
    ]  # fmt: skip
    judged = {
        str(verdict.get("target_event_id") or verdict.get("event_id"))
        for verdict in look.verdicts
        if verdict.get("status") == "ok" and verdict.get("verdict") not in (None, "unknown")
    }
    bare = sum(str(call.get("event_id")) not in judged for call in outputs)
    if len(outputs) >= ENOUGH and bare > 0.5 * len(outputs):
        advice = "send what guards said, also when they found nothing; what nobody judged is not known to be safe"
        yield Complaint("coverage", look.service, f"{share(bare, len(outputs))} outputs have no verdict", advice)
    silent = Counter(
        str(verdict.get("guard_name"))
        for verdict in look.verdicts
        if verdict.get("status") == "ok" and verdict.get("verdict") in (None, "unknown")
    )
    if silent:
        advice = "a guard that ran and says nothing is not a clean one; send its verdict, or its native value"
        yield Complaint("coverage", look.service, f"guards without a verdict: {_listed(silent)}", advice)


def only_hits(look: Look) -> Iterator[Complaint]:
    """Yield telemetry that holds only what is bad: then a rate has no trials to be a rate of."""
    judged = [verdict for verdict in look.verdicts if verdict.get("status") == "ok" and verdict.get("verdict")]
    hits = sum(verdict["verdict"] in _OBJECTS for verdict in judged)
    if len(judged) >= ENOUGH and hits == len(judged):
        advice = "send clean results too, or all rates are 100 %; sampling must not depend on the result"
        yield Complaint("sampling", look.service, f"all {hits:,} verdicts object", advice)
    failed = sum(
        call.get("outcome") == "error" or (bool(call.get("error_type")) and not call.get("outcome"))
        for call in look.calls
    )
    if len(look.calls) >= ENOUGH and failed == len(look.calls):
        advice = "send successful calls too; sampling must not depend on how a call ended"
        yield Complaint("sampling", look.service, f"all {failed:,} calls are errors", advice)


def _listed(found: Counter[str]) -> str:
    told = ", ".join(f"{name} ({number:,})" for name, number in found.most_common(SHOWN))
    more = len(found) - SHOWN
    return told if more <= 0 else f"{told} and {more} more"
