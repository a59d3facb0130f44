"""Candidates beside what is stable: each service with events of both variants is compared, all the time."""

from typing import TYPE_CHECKING, Final

import numpy as np

from detectors.canary import CanaryComparison, Comparison
from detectors.columns import prefixed, under
from schemas.findings import Finding
from schemas.metrics import RATES
from streams.checkpoints import Arrays
from streams.findings import VERSION, WHOLE, end_of, identity
from streams.merge import TickSums, added_rates
from streams.policy import Policy
from streams.series import SeriesBook

if TYPE_CHECKING:
    from schemas.windows import GroupSums

MOST: Final = 500
"""Candidates times metrics that are compared; a candidate without events for long gives way to none."""

METRICS: Final = tuple(rate.name for rate in RATES if rate.name != "injection_flag")
"""What a model or prompt can be to blame for; attacks come from outside."""

VERDICTS: Final = ("undecided", "not worse", "worse")


class CanaryWatch:
    """The candidates of all services of one partition of the windows; each metric has a verdict of its own."""

    def __init__(self, tick_seconds: int, policy: Policy) -> None:
        self._tick_seconds: Final = tick_seconds
        self._settings: Final = (policy.detectors.canary.alpha, policy.detectors.canary.margin)
        self.book: Final = SeriesBook(tick_seconds, MOST)
        self.comparison = CanaryComparison(*self._settings)
        self._said: list[int] = []  # by pair: index of the verdict that was published

    def judge(self, tick: int, sums: TickSums) -> list[Finding]:
        """Return the verdicts that a tick changes."""
        pairs = self._pairs(sums)
        if not pairs:
            return []
        new = len(self.book) - len(self.comparison)
        self.comparison.grow(new)
        self._said += [0] * new
        rows = np.array(sorted(pairs), np.int64)
        numbers = np.array([pairs[row] for row in rows.tolist()], np.float64)
        self.book.note(rows, tick)
        self.comparison.update(tick, rows, *numbers.T)
        return [finding for row in rows.tolist() if (finding := self._changed(row, tick)) is not None]

    def _pairs(self, sums: TickSums) -> dict[int, tuple[int, int, int, int]]:
        """Return trials and flagged of candidate and stable, by pair, where both have events in the tick."""
        by_service: dict[str, dict[str, list[GroupSums]]] = {}
        for group in sums:
            if group.variant in ("canary", "stable"):
                by_service.setdefault(group.service_name, {}).setdefault(group.variant, []).append(group)
        pairs = {}
        for service, variants in by_service.items():
            if len(variants) < 2:
                continue
            stable = added_rates(group.rates for group in variants["stable"])
            for version in sorted({group.model_version for group in variants["canary"]}):
                mine = added_rates(group.rates for group in variants["canary"] if group.model_version == version)
                for metric in METRICS:
                    if metric in mine and metric in stable and mine[metric].trials and stable[metric].trials:
                        row = self.book.row((service, version, metric), ("~other", "~other", metric))
                        pairs[row] = (
                            mine[metric].trials, mine[metric].flagged, stable[metric].trials, stable[metric].flagged
                        )  # fmt: skip
        return pairs

    def _changed(self, row: int, tick: int) -> Finding | None:
        found = self.comparison.verdict(row)
        said = VERDICTS.index(found.verdict)
        if said <= self._said[row]:
            return None
        self._said[row] = said
        service, version, metric = self.book.names[row]
        worse = found.verdict == "worse"
        return Finding(
            finding_id=identity("canary", service, version, metric, found.verdict, tick),
            kind="canary",
            severity="ticket" if worse else "info",
            service_name=service,
            tenant_id=WHOLE,
            model_version=version,
            metric=metric,
            family="canary",
            detected_time_unix_nano=end_of(tick, self._tick_seconds),
            detector="conditional_e_process",
            detector_version=VERSION,
            direction="up" if worse else None,
            e_value=min(found.worse_e if worse else found.not_worse_e, 1e300),
            promise=1 / self._settings[0],
            rate=found.candidate_flagged / found.candidate_trials,
            rate_lower=found.candidate_lower,
            rate_upper=found.candidate_upper,
            baseline=found.stable_flagged / found.stable_trials,
            sample_size=found.candidate_trials,
            flagged=found.candidate_flagged,
            verdict=found.verdict,
            details={"stable_trials": float(found.stable_trials), "stable_flagged": float(found.stable_flagged)},
            evidence=_words(found, service, version, metric, self._settings[1]),
        )

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {
            "said": np.array(self._said, np.int64),
            **prefixed("book_", self.book.state()),
            **prefixed("comparison_", self.comparison.state()),
        }

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._said = state["said"].tolist()
        self.book.restore(under("book_", state))
        self.comparison = CanaryComparison.from_state(under("comparison_", state), *self._settings)


def _words(found: Comparison, service: str, version: str, metric: str, margin: float) -> str:
    verdict = "is worse" if found.verdict == "worse" else f"is not worse by a factor of {margin:g}"
    return (
        f"candidate {version} of {service} {verdict} in {metric}: "
        f"{found.candidate_flagged} of {found.candidate_trials} sessions "
        f"({found.candidate_lower:.1%} to {found.candidate_upper:.1%}) beside {found.stable_flagged} of "
        f"{found.stable_trials} ({found.stable_lower:.1%} to {found.stable_upper:.1%}) of what is stable"
    )
