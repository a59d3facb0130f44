"""Guards: codes that nobody knows, verdicts about nothing, and outputs that nobody judged."""

from collections.abc import Iterator

from schemas.traps import ENOUGH
from streams.intake.doctor.complaint import Complaint, share
from streams.intake.doctor.look import Look


def unknown_codes(look: Look) -> Iterator[Complaint]:
    """Yield categories and words that the contract does not know."""
    if look.codes.times:
        advice = "they count as hazards without a family; map them to the codes of docs/categories.md"
        yield Complaint("codes", look.service, f"unknown categories: {look.codes}", advice)
    if look.words.times:
        advice = "an event with a word that nobody knows is no trial of the rates that depend on it; send known ones"
        yield Complaint("words", look.service, f"unknown words: {look.words}", advice)


def orphans(look: Look) -> Iterator[Complaint]:
    """Yield verdicts that travel alone and name no event that is there."""
    lost, alone = look.alone
    if lost and lost > 0.05 * alone:
        advice = "send target_event_id, or response_id or trace and span of what was judged"
        yield Complaint("orphans", look.service, f"{share(lost, alone)} verdicts meet no event", advice)


def coverage(look: Look) -> Iterator[Complaint]:
    """Yield outputs that no guard judged, and guards that run without saying anything."""
    bare, outputs = look.outputs
    if outputs >= ENOUGH and bare > 0.5 * outputs:
        advice = "send what guards said, also when they found nothing; what nobody judged is not known to be safe"
        yield Complaint("coverage", look.service, f"{share(bare, outputs)} outputs have no verdict", advice)
    if look.silent.times:
        advice = "a guard that ran and says nothing is not a clean one; send its verdict, or its native value"
        yield Complaint("coverage", look.service, f"guards without a verdict: {look.silent}", advice)


def only_hits(look: Look) -> Iterator[Complaint]:
    """Yield telemetry that holds only what is bad: then a rate has no trials to be a rate of."""
    hits, judged = look.judged
    if judged >= ENOUGH and hits == judged:
        advice = "send clean results too, or all rates are 100 %; sampling must not depend on the result"
        yield Complaint("sampling", look.service, f"all {hits:,} verdicts object", advice)
    if look.calls >= ENOUGH and look.failed == look.calls:
        advice = "send successful calls too; sampling must not depend on how a call ended"
        yield Complaint("sampling", look.service, f"all {look.failed:,} calls are errors", advice)
