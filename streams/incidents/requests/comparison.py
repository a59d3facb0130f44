"""What a canary finding says, in numbers that a gate decides by and in words for its log."""

from datetime import UTC, datetime
from typing import NamedTuple

from schemas.fields import NANO
from schemas.findings import Finding


class Comparison(NamedTuple):
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

        >>> Comparison(0, "f", "undecided", 100, 9, 0.04, 0.17, 900, 36, counts=True).regret
        5.0
        """
        if not self.counts or not self.stable_trials:
            return 0.0
        return self.flagged - self.trials * self.stable_flagged / self.stable_trials


Comparisons = dict[str, Comparison]
"""The latest comparison of each metric of one candidate."""


def comparison_of(finding: Finding) -> Comparison:
    """Return what a canary finding says."""
    details = finding.details or {}
    return Comparison(
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


def known(comparisons: Comparisons, newest: Comparison) -> str:
    """Return in words what is known at the newest comparison."""
    sides = (
        f"{name} {comparison.verdict} ({comparison.flagged} of {comparison.trials} beside "
        f"{comparison.stable_flagged:.0f} of {comparison.stable_trials:.0f})"
        for name, comparison in sorted(comparisons.items())
    )
    return f"{datetime.fromtimestamp(newest.at / NANO, UTC):%Y-%m-%d %H:%M} UTC, {', '.join(sides)}"


def evidence(comparisons: Comparisons) -> dict[str, float]:
    """Return the numbers behind a decision, by metric and side, with the intervals of the candidate's rates."""
    return {
        f"{name}_{what}": float(value)
        for name, comparison in sorted(comparisons.items())
        for what, value in (
            ("trials", comparison.trials),
            ("flagged", comparison.flagged),
            ("lower", comparison.lower),
            ("upper", comparison.upper),
            ("stable_trials", comparison.stable_trials),
            ("stable_flagged", comparison.stable_flagged),
            ("regret", comparison.regret),
        )
    }
