"""What evaluations say of a candidate, held against what the policy asks for before a promotion."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from detectors.intervals import Interval, difference, wilson
from schemas.evaluations import EvaluationRun
from schemas.fields import NANO
from streams.policy.controls import EvaluationRule
from streams.text.shares import tenths

DAY_NANO: Final = 86_400 * NANO

MOST: Final = 20_000
"""Tests of versions that are kept: the latest."""


class Run(NamedTuple):
    """The newest run of one test of one version: when it ended, and how many of its items failed."""

    at: int
    event_id: str
    items: int
    failed: int


class About(NamedTuple):
    """What a run is the run of."""

    service: str
    version: str
    suite: str
    category: str
    name: str


class Evaluations:
    """The newest run of each test.

    Parameters
    ----------
    rules
        `streams.policy.controls.CanaryGate.evaluations`; other suites are not kept.
    """

    def __init__(self, rules: Sequence[EvaluationRule]) -> None:
        self._rules: Final = rules
        self._runs: Final[dict[About, Run]] = {}

    def take(self, record: EvaluationRun) -> bool:
        """Take a run, and tell whether it is news."""
        if record.suite not in {rule.suite for rule in self._rules}:
            return False
        about = About(
            record.service_name, record.model_version or "", record.suite, record.category or "", record.test_name or ""
        )
        run = Run(record.time_unix_nano, record.event_id, record.items, record.failed)
        if self._runs.get(about, run) > run or self._runs.get(about) == run:
            return False
        self._runs[about] = run
        if len(self._runs) > MOST:
            del self._runs[next(iter(self._runs))]
        return True

    def unmet(self, service: str, candidate: str, stable: str | None, at: int) -> list[str]:
        """Return what is lacking for a promotion at a time, in words; nothing where all rules are met."""
        return [
            f"{_name(rule)} {lack}"
            for rule in self._rules
            for lack in self._lacking(rule, service, candidate, stable, at)
        ]

    def _lacking(
        self, rule: EvaluationRule, service: str, candidate: str, stable: str | None, at: int
    ) -> Iterator[str]:
        own = self._of(rule, service, candidate)
        fresh = [run for run in own if at - run.at <= rule.within_days * DAY_NANO]
        if not sum(run.items for run in fresh):
            age = f"last ran {(at - max(run.at for run in own)) / DAY_NANO:.1f} days ago" if own else "did not run"
            yield f"{age} on {candidate}, within {rule.within_days:g} days is asked for"
            return
        share = _share(fresh)
        if rule.at_most is not None and share.upper > rule.at_most:
            yield f"may fail {tenths(share.upper)} on {candidate}, at most {tenths(rule.at_most)} is asked for"
        if rule.worse_by_at_most is None:
            return
        others = self._of(rule, service, stable or "")
        if not sum(run.items for run in others):
            yield f"did not run on {stable or 'stable, whose version is not named'}, which it is to be held against"
            return
        worse_by = difference(share, _share(others)).upper
        if worse_by > rule.worse_by_at_most:
            most = tenths(rule.worse_by_at_most)
            yield f"may be worse than {stable} by {tenths(worse_by)}, at most {most} is asked for"

    def _of(self, rule: EvaluationRule, service: str, version: str) -> list[Run]:
        return [
            run for about, run in self._runs.items()
            if (about.service, about.version, about.suite) == (service, version, rule.suite)
            and rule.category in ("", about.category)
        ]  # fmt: skip


def _name(rule: EvaluationRule) -> str:
    return f"{rule.suite} ({rule.category})" if rule.category else rule.suite


def _share(runs: Iterable[Run]) -> Interval:
    """Return the share of items failed, with the interval of Wilson."""
    items, failed = (float(sum(each)) for each in zip(*((run.items, run.failed) for run in runs), strict=True))
    lower, upper = wilson(np.array([failed]), np.array([items]))
    return Interval(failed / items, float(lower[0]), float(upper[0]))
