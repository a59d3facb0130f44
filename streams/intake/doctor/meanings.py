"""Numbers of another unit or scale than they are taken for."""

from collections.abc import Iterator
from typing import Final

from schemas.traps import ENOUGH, FASTEST, SHORTEST_MS
from streams.intake.doctor.complaint import Complaint, share
from streams.intake.doctor.look import TOKENS, Look

BEYOND_DOUBT: Final = 10 * FASTEST
"""The same of a few calls."""

SEVERE: Final = 0.3
"""Share of level 4 among findings with a severity from which the scale is not ours."""


def seconds(look: Look) -> Iterator[Complaint]:
    """Yield durations that look like seconds: answers of that many tokens take longer."""
    speeds, durations = look.speeds, look.durations
    if speeds.values and speeds.median > (FASTEST if speeds.values >= ENOUGH else BEYOND_DOUBT):
        seen = f"the median call makes {speeds.median:,.0f} tokens a second"
    elif durations.values >= ENOUGH and not speeds.values and durations.median < SHORTEST_MS:
        seen = f"the median call takes {durations.median:.2f} ms"
    else:
        return
    yield Complaint("durations", look.service, seen, "duration_ms is in milliseconds; multiply seconds by 1000")


def severities(look: Look) -> Iterator[Complaint]:
    """Yield a scale of severities that is not ours: 4 is critical here, and pages."""
    for guard, given, critical, evens, azure in sorted(look.levels):
        even = azure and evens == given
        if critical and (even or (given >= ENOUGH and critical > SEVERE * given)):
            seen = f"{share(critical, given)} findings of guard {guard!r} have severity 4"
            seen += ", and all of them are even, as on Azure's scale of 0, 2, 4, 6" if even else ""
            advice = "ours goes from 0 to 4 and 4 pages; map the guard's levels (`schemas.vendors` does for known ones)"
            yield Complaint("severities", look.service, seen, advice)


def tokens(look: Look) -> Iterator[Complaint]:
    """Yield token counts that leave out what ours include: cached input, reasoning output."""
    for whole, parts in TOKENS.items():
        wrong, both = look.tokens.get(whole, (0, 0))
        if wrong:
            seen = f"{share(wrong, both)} calls have more {' and '.join(parts)} than {whole}"
            yield Complaint("tokens", look.service, seen, f"{_INCLUDED[whole]}; add them before sending")


_INCLUDED: Final = {
    "usage_input_tokens": "input tokens include those read from the cache and written to it",
    "usage_output_tokens": "output tokens include those of reasoning",
}
