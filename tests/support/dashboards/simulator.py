"""How Grafana evaluates a rule, written again from its documentation: answer, reduce, threshold, and what time does.

The states of a series are Normal, Pending (`for` is not over), Alerting, and Recovering (`keepFiringFor` is not over;
it still notifies as firing). An answer without rows, or whose one number is missing, is NoData; a query that fails is
an Error. Both are mapped by the rule, for all series that are known; `NoData` and `Error` as states of their own are
not played, as no rule of ours uses them. A series that is missing while others are there keeps its state for
`missing_series_evals_to_resolve` evaluations. No clock: the number of seconds is passed in.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from schemas.durations import seconds

Labels = tuple[tuple[str, str], ...]
Answer = Mapping[Labels, Sequence[float | None]] | None
"""What a query gives: the numbers of each series. None: it failed."""

NORMAL, PENDING, ALERTING, RECOVERING = "Normal", "Pending", "Alerting", "Recovering"
FIRING = {ALERTING, RECOVERING}


@dataclass(frozen=True)
class Series:
    """One series of a rule: its state, since when, and when it was last seen."""

    state: str = NORMAL
    since: int = 0
    seen: int = 0


class Alert:
    """One rule of the rules file, evaluated again and again."""

    def __init__(self, rule: dict, interval: str) -> None:
        self.rule = rule
        self.interval = seconds(interval)
        self.series: dict[Labels, Series] = {}

    def firing(self) -> list[Labels]:
        """Return the labels of what a receiver is told about."""
        return [labels for labels, series in self.series.items() if series.state in FIRING]

    def evaluate(self, answer: Answer, now: int) -> None:
        """Take an answer at a time in seconds."""
        mapped = self._mapped(answer)
        if mapped is not None:
            for labels in [*self.series] or [()]:
                state = mapped if mapped != "KeepLast" else self._last(labels)
                self._set(labels, bad=state == ALERTING, now=now)
            return
        for labels, numbers in (answer or {}).items():
            self._set(labels, bad=beyond(self.rule, reduced(self.rule, numbers)), now=now)
        patience = self.rule["missing_series_evals_to_resolve"] * self.interval
        self.series = {labels: one for labels, one in self.series.items() if now - one.seen < patience}

    def _mapped(self, answer: Answer) -> str | None:
        if answer is None:
            word = self.rule["execErrState"]
        elif any(number is not None for numbers in answer.values() for number in numbers):
            return None
        else:
            word = self.rule["noDataState"]
        return {"OK": NORMAL, "Alerting": ALERTING, "KeepLast": "KeepLast"}[word]

    def _last(self, labels: Labels) -> str:
        known = self.series.get(labels, Series())
        return ALERTING if known.state in {PENDING, *FIRING} else NORMAL

    def _set(self, labels: Labels, *, bad: bool, now: int) -> None:
        known = self.series.get(labels, Series())
        wait = seconds(self.rule["for"] if bad else self.rule["keepFiringFor"])
        state = after(known, bad=bad, waited=now - known.since >= wait, at_once=wait == 0)
        changed = replace(known, state=state, since=now) if state != known.state else known
        self.series[labels] = replace(changed, seen=now)


def after(known: Series, *, bad: bool, waited: bool, at_once: bool) -> str:
    """Return the next state of a series.

    >>> after(Series(NORMAL), bad=True, waited=True, at_once=False)
    'Pending'
    >>> after(Series(PENDING), bad=True, waited=True, at_once=False)
    'Alerting'
    >>> after(Series(ALERTING), bad=False, waited=True, at_once=False)
    'Recovering'
    """
    if bad:
        moves = {NORMAL: ALERTING if at_once else PENDING, PENDING: ALERTING if waited else PENDING}
        return moves.get(known.state, ALERTING)
    if known.state == ALERTING and not at_once:
        return RECOVERING
    return RECOVERING if known.state == RECOVERING and not waited else NORMAL


def reduced(rule: dict, numbers: Sequence[float | None]) -> float | None:
    """Return the one number of a series, as the reduce step of a rule makes it."""
    step = next(step["model"] for step in rule["data"] if step["model"].get("type") == "reduce")
    assert step["reducer"] == "last"
    return numbers[-1]


def beyond(rule: dict, number: float | None) -> bool:
    """Return whether the threshold of a rule is passed; never by a number that is missing or none.

    Raises
    ------
    ValueError
        Where the number is NaN or infinite: Grafana would take it for healthy.
    """
    if number is None:
        return False
    if not math.isfinite(number):
        raise ValueError(f"{rule['uid']} gives {number}")
    step = next(step["model"] for step in rule["data"] if step["refId"] == rule["condition"])
    [condition] = step["conditions"]
    [limit] = condition["evaluator"]["params"]
    return {"gt": number > limit, "lt": number < limit}[condition["evaluator"]["type"]]
