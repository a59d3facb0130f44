"""What a canary finding says, in numbers that a gate decides by and in words for its log."""

from datetime import UTC, datetime
from typing import NamedTuple

from schemas.fields import NANO
from schemas.findings import Finding


class Look(NamedTuple):
    """One metric of a candidate beside stable: sessions, flagged ones, and the interval of the candidate's rate."""

    at: int
    finding_id: str
    verdict: str
    trials: int
    flagged: int
    lower: float
    upper: float
    stable_trials: float
    stable_flagged: float
    counts: bool
    """Whether flagged sessions are a cost that adds up: a latency above some edge is none."""

    @property
    def regret(self) -> float:
        """Flagged sessions more than stable's rate would have given as many sessions.

        >>> Look(0, "f", "undecided", 100, 9, 0.04, 0.17, 900, 36, counts=True).regret
        5.0
        """
        if not self.counts or not self.stable_trials:
            return 0.0
        return self.flagged - self.trials * self.stable_flagged / self.stable_trials


Looks = dict[str, Look]
"""The latest look at each metric of one candidate."""


def look_of(finding: Finding) -> Look:
    """Return what a canary finding says."""
    details = finding.details or {}
    return Look(
        at=finding.detected_time_unix_nano,
        finding_id=finding.finding_id,
        verdict=finding.verdict or "undecided",
        trials=finding.sample_size or 0,
        flagged=finding.flagged or 0,
        lower=finding.rate_lower if finding.rate_lower is not None else 0.0,
        upper=finding.rate_upper if finding.rate_upper is not None else 1.0,
        stable_trials=details.get("stable_trials", 0.0),
        stable_flagged=details.get("stable_flagged", 0.0),
        counts=finding.metric != "latency",
    )


def known(looks: Looks, newest: Look) -> str:
    """Return in words what is known at the newest look."""
    sides = (
        f"{name} {look.verdict} ({look.flagged} of {look.trials} beside {look.stable_flagged:.0f} of "
        f"{look.stable_trials:.0f})"
        for name, look in sorted(looks.items())
    )
    return f"{datetime.fromtimestamp(newest.at / NANO, UTC):%Y-%m-%d %H:%M} UTC, {', '.join(sides)}"


def evidence(looks: Looks) -> dict[str, float]:
    """Return the numbers behind a decision, by metric and side, with the intervals of the candidate's rates."""
    return {
        f"{name}_{what}": float(value)
        for name, look in sorted(looks.items())
        for what, value in (
            ("trials", look.trials),
            ("flagged", look.flagged),
            ("lower", look.lower),
            ("upper", look.upper),
            ("stable_trials", look.stable_trials),
            ("stable_flagged", look.stable_flagged),
            ("regret", look.regret),
        )
    }
