"""Candidates beside what is stable: each service with events of both variants is compared, all the time.

Each rate that a model or prompt can be to blame for has a verdict of its own, and so have the hazard categories
together (worse in any of them) and the latency (more sessions above any of its edges).

A verdict is said once. Between verdicts the numbers are told as *looks*, each time that a candidate's sessions have
doubled: they are what a gate knows of exposure and regret, and no news for a person.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from detectors.canary import CanaryComparison, Side, Verdicts
from detectors.columns import prefixed, under
from schemas.findings import Finding
from schemas.quantities import BINS
from streams.detect.candidates import CATEGORIES, STEP, Counts, beside, counts_of
from streams.detect.watcher import Tick, TickSums
from streams.events.bins import middle_of
from streams.findings.finding import WHOLE, end_of, finding
from streams.findings.series import SeriesBook
from streams.kafka.checkpoints import Arrays
from streams.policy.policy import Policy
from streams.text.shares import interval, tenths

MOST: Final = 500
"""Candidates times metrics that are compared; further ones share a place."""

FIRST_LOOK: Final = 128
"""Sessions of a candidate before the first look."""

VERDICTS: Final = ("undecided", "not worse", "worse")


class CanaryWatch:
    """The candidates of all services of one partition of the windows."""

    def __init__(self, tick_seconds: int, policy: Policy) -> None:
        canary = policy.detectors.canary
        bins = {"rate": 1, "category": len(CATEGORIES), "latency": BINS // STEP - 1}
        self.compared: Final = {kind: _Compared(tick_seconds, policy, count) for kind, count in bins.items()}
        self._tick_seconds: Final = tick_seconds
        self._alpha: Final = canary.alpha
        self._margin: Final = canary.margin

    def judge_ticks(self, ticks: Sequence[Tick]) -> list[list[Finding]]:
        """Return the verdicts that each tick changes."""
        return [self._judge(*tick) for tick in ticks]

    def _judge(self, tick: int, sums: TickSums) -> list[Finding]:
        pairs: dict[str, dict[int, tuple[Counts, Counts]]] = {kind: {} for kind in self.compared}
        for service, version, mine, stable in beside(sums):
            for kind, metric, own, others in counts_of(mine, stable):
                pairs[kind][self.compared[kind].row(service, version, metric)] = (own, others)
        return [
            self._finding(tick, kind, said)
            for kind, of_kind in pairs.items()
            if of_kind
            for said in self.compared[kind].update(tick, of_kind)
        ]

    def _finding(self, tick: int, kind: str, said: "_Said") -> Finding:
        found, at = said.verdicts, said.at
        service, version, metric = self.compared[kind].book.names[said.row]
        verdict = str(found.verdict[at])
        mine, stable = _one(found.candidate, at), _one(found.stable, at)
        worse = verdict == "worse"
        details = {"stable_trials": stable.trials, "stable_flagged": stable.flagged, "ticks": float(found.ticks[at])}
        return finding(
            ("canary", service, version, metric, verdict, tick),
            end_of(tick, self._tick_seconds),
            kind="canary",
            severity="ticket" if worse else "info",
            service_name=service,
            tenant_id=WHOLE,
            model_version=version,
            metric=metric,
            family="canary",
            detector="conditional_e_process",
            direction="up" if worse else None,
            e_value=float((found.e_worse if worse else found.e_not_worse)[at]),
            promise=1 / self._alpha,
            rate=mine.rate,
            rate_lower=mine.lower,
            rate_upper=mine.upper,
            baseline=stable.rate,
            sample_size=int(mine.trials),
            flagged=int(mine.flagged),
            verdict=verdict,
            details=details | ({"look": 1.0} if said.look else {}),
            evidence=f"candidate {version} of {service} {self._judged(verdict)} in {metric}"
            f"{_bin_name(kind, int(found.bin[at]))}: {_beside_each_other(mine, stable)} of what is stable",
        )

    def _judged(self, verdict: str) -> str:
        return {
            "worse": "is worse",
            "not worse": f"is not worse by a factor of {self._margin:g}",
            "undecided": "is not judged yet",
        }[verdict]

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {
            name: array
            for kind, compared in self.compared.items()
            for name, array in prefixed(f"{kind}_", compared.state()).items()
        }

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        for kind, compared in self.compared.items():
            compared.restore(under(f"{kind}_", state))


class _Compared:
    """All candidates, by one kind of metric."""

    def __init__(self, tick_seconds: int, policy: Policy, bins: int) -> None:
        canary = policy.detectors.canary
        self._least: Final = policy.canary_gate.min_exposure
        self.book: Final = SeriesBook(tick_seconds, MOST)
        self.comparison: Final = CanaryComparison(canary.alpha, canary.margin, bins)
        self._said: list[int] = []  # by pair: index of the verdict that was published
        self._next_look: list[int] = []  # by pair: sessions of the candidate at which it is due

    def row(self, service: str, version: str, metric: str) -> int:
        """Return the row of a candidate and metric."""
        row = self.book.row((service, version, metric), ("~other", "~other", metric))
        new = len(self.book) - len(self.comparison)
        self.comparison.grow(new)
        self._said += [0] * new
        self._next_look += [FIRST_LOOK] * new
        return row

    def update(self, tick: int, pairs: dict[int, tuple[Counts, Counts]]) -> list["_Said"]:
        """Take the counts of a tick, and return the rows whose verdict has changed, or whose look is due."""
        rows = np.array(sorted(pairs), np.int64)
        sides = [[pairs[row][side] for row in rows.tolist()] for side in (0, 1)]
        trials = [np.array([n for n, _ in side]) for side in sides]
        flagged = [np.stack([k for _, k in side]) for side in sides]
        self.book.note(rows, tick)
        self.comparison.update(tick, rows, trials[0], flagged[0], trials[1], flagged[1])
        verdicts = self.comparison.verdict(rows)
        return [_Said(row, verdicts, at, look) for at, row in enumerate(rows.tolist())
                if (look := self._is_look(row, verdicts, at)) is not None]  # fmt: skip

    def _is_look(self, row: int, verdicts: Verdicts, at: int) -> bool | None:
        """Tell whether what is known of a row is a look (True) or a new verdict (False), or nothing to say (None)."""
        verdict, exposure = VERDICTS.index(str(verdicts.verdict[at])), int(verdicts.candidate.trials[at])
        changed = verdict > self._said[row]
        due = exposure >= self._next_look[row] and self._said[row] != len(VERDICTS) - 1
        self._said[row] = max(self._said[row], verdict)
        if changed or due:
            self._next_look[row] = next_look(exposure, self._least)
            return not changed
        return None

    def state(self) -> Arrays:
        own = {"said": np.array(self._said, np.int64), "next_look": np.array(self._next_look, np.int64)}
        return own | prefixed("book_", self.book.state()) | prefixed("comparison_", self.comparison.state())

    def restore(self, state: Arrays) -> None:
        self._said = state["said"].tolist()
        self._next_look = state["next_look"].tolist()
        self.book.restore(under("book_", state))
        self.comparison.restore(under("comparison_", state))


class _Said(NamedTuple):
    """What there is to say of a pair: its row, what is known, where it stands in that, and whether it is a look."""

    row: int
    verdicts: Verdicts
    at: int
    look: bool


def next_look(exposure: int, least: int) -> int:
    """Return at how many sessions of the candidate the next look is due: doubled, and once at what a gate asks for.

    >>> next_look(0, 1_000), next_look(128, 1_000), next_look(600, 1_000), next_look(1_000, 1_000)
    (128, 256, 1000, 1024)
    """
    doubled = FIRST_LOOK
    while doubled <= exposure:
        doubled *= 2
    return least if exposure < least < doubled else doubled


class _Numbers(NamedTuple):
    """`Side` of one pair."""

    trials: float
    flagged: float
    rate: float
    lower: float
    upper: float


def _one(side: Side, at: int) -> _Numbers:
    return _Numbers(*(float(column[at]) for column in side))


def _beside_each_other(mine: _Numbers, stable: _Numbers) -> str:
    sides = (
        f"{side.flagged:.0f} of {side.trials:.0f}{sessions} ({interval(side.lower, side.upper, tenths)})"
        for side, sessions in ((mine, " sessions"), (stable, ""))
    )
    return " beside ".join(sides)


def _bin_name(kind: str, at: int) -> str:
    if kind == "category":
        return f" ({CATEGORIES[at]})"
    if kind == "latency":
        edge = middle_of(np.array([(at + 1) * STEP]), "log")[0]
        return f" (above about {edge:.0f} ms)"
    return ""
