"""Clocks that are wrong, events that come late, and events that never came."""

from collections.abc import Iterator
from typing import Final

from schemas.fields import NANO
from schemas.traps import ENOUGH
from streams.intake.doctor.complaint import Complaint, share
from streams.intake.doctor.look import LATE_SECONDS, Look

QUIET_SECONDS: Final = 900.0
AHEAD_SECONDS: Final = 5.0


def clocks(look: Look) -> Iterator[Complaint]:
    """Yield a service whose newest event is old or ahead, and one whose events came after their windows had closed."""
    events = look.calls + look.steps
    if look.now_unix_nano is None or look.newest is None:
        return
    age = (look.now_unix_nano - look.newest) / NANO
    if age < -AHEAD_SECONDS:
        advice = "its clock is ahead, or its times are in another zone; time_unix_nano is UTC"
        yield Complaint("clocks", look.service, f"its newest event is {-age:.0f} s in the future", advice)
    elif age > QUIET_SECONDS:
        advice = "look whether it still sends, and whether its clock is behind"
        yield Complaint("clocks", look.service, f"its newest event is {age:.0f} s old", advice)
    if events >= ENOUGH and look.late > 0.05 * events:
        advice = "windows are closed by then; send as it happens, and look at clocks and batches on the way"
        seen = f"{share(look.late, events)} events came more than {LATE_SECONDS:.0f} s late"
        yield Complaint("clocks", look.service, seen, advice)


def losses(look: Look) -> Iterator[Complaint]:
    """Yield events that emitters say were lost on their way."""
    if look.dropped or look.refused:
        reasons = ", ".join(look.reasons) or "no reason given"
        seen = f"its emitter dropped {look.dropped:,} events and had {look.refused:,} refused ({reasons})"
        advice = "give it a larger queue or send less; what was refused is in `watchkeeper dead-letters list`"
        yield Complaint("losses", look.service, seen, advice)
