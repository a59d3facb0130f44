"""Clocks that are wrong, events that come late, and events that never came."""

from collections.abc import Iterator
from typing import Final

from schemas.traps import ENOUGH
from streams.intake.doctor.complaint import Complaint, share
from streams.intake.doctor.look import Look, nanoseconds, seconds_between

LATE_SECONDS: Final = 60.0
QUIET_SECONDS: Final = 900.0
AHEAD_SECONDS: Final = 5.0


def clocks(look: Look) -> Iterator[Complaint]:
    """Yield a service whose newest event is old or ahead, and one whose events came after their windows had closed."""
    rows = look.calls + look.steps
    times = [found for row in rows if (found := nanoseconds(row)) is not None]
    if look.now_unix_nano is None or not times:
        return
    age = seconds_between(look.now_unix_nano, max(times))
    if age < -AHEAD_SECONDS:
        advice = "its clock is ahead, or its times are in another zone; time_unix_nano is UTC"
        yield Complaint("clocks", look.service, f"its newest event is {-age:.0f} s in the future", advice)
    elif age > QUIET_SECONDS:
        advice = "look whether it still sends, and whether its clock is behind"
        yield Complaint("clocks", look.service, f"its newest event is {age:.0f} s old", advice)
    late = sum(
        seconds_between(int(row["counted"]), moment) > LATE_SECONDS
        for row in rows
        if row.get("counted") and (moment := nanoseconds(row)) is not None
    )
    if len(rows) >= ENOUGH and late > 0.05 * len(rows):
        advice = "windows are closed by then; send as it happens, and look at clocks and batches on the way"
        seen = f"{share(late, len(rows))} events came more than {LATE_SECONDS:.0f} s late"
        yield Complaint("clocks", look.service, seen, advice)


def losses(look: Look) -> Iterator[Complaint]:
    """Yield events that emitters say were lost on their way."""
    dropped = sum(int(row.get("dropped") or 0) for row in look.losses)
    refused = sum(int(row.get("refused") or 0) for row in look.losses)
    if dropped or refused:
        reasons = ", ".join(sorted({str(row["reason"]) for row in look.losses if row.get("reason")})[:3])
        seen = f"its emitter dropped {dropped:,} events and had {refused:,} refused ({reasons or 'no reason given'})"
        advice = "give it a larger queue or send less; what was refused is in `watchkeeper dead-letters list`"
        yield Complaint("losses", look.service, seen, advice)
