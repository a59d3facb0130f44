"""Single events and traces unlike the others of their service, a few a day, by rank.

Events are scored together once a minute of their time, so that the result is a function of the log and the cost is
that of a batch. Events of one partition are judged by the others of that partition: each has its share of the budget.
"""

from collections import deque
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from detectors.base import Bools, Floats
from detectors.columns import prefixed, under
from detectors.events.odd import OddEvents
from detectors.events.rank_budget import RankBudget
from detectors.river.anomaly import RiverAnomaly
from schemas.findings import Finding
from schemas.sql import literal
from streams.findings.finding import finding
from streams.findings.series import SeriesBook
from streams.kafka.checkpoints import Arrays
from streams.policy.policy import Policy
from streams.watch.batches import MEASURES
from streams.watch.blocks import Block
from streams.watch.single.traces import FEATURES, OpenTraces, Trace

MINUTE: Final = 60
MOST_CONTEXTS: Final = 500
WIDE: Final = len(MEASURES)
HALF_LIFE_MINUTES: Final = 1_440.0

_SCORE: Final = MEASURES.index("guard_score")


class OddWatch:
    """The odd events of one partition of the events.

    Parameters
    ----------
    tick_seconds
        Length of a tick.
    idle_ticks
        Ticks without an event after which a trace is over.
    share
        This partition's share of the fleet's budget, 0 to 1.
    policy
        The budget, and a second scorer if there is one.
    """

    def __init__(self, tick_seconds: int, idle_ticks: int, share: float, policy: Policy) -> None:
        settings = policy.detectors.odd_events
        self.off: Final = settings.level == "off"
        self._per_minute: Final = max(MINUTE // tick_seconds, 1)
        self._alerts_per_day: Final = settings.alerts_per_day * share
        self._traces: Final = OpenTraces(idle_ticks)
        self.book: Final = SeriesBook(tick_seconds, MOST_CONTEXTS)
        self.odd: Final = OddEvents(WIDE)
        self.river: Final = (
            RiverAnomaly(settings.river_class, WIDE, dict(settings.parameters), settings.every)
            if settings.river_class
            else None
        )
        self._budgets: Final = {"odd": RankBudget(), "river": RankBudget()}
        self._events = 0.0  # fading over a day
        self._age = 0.0  # minutes
        self._minute = -1
        self._waiting = _Waiting()

    def judge(self, block: Block) -> list[Finding]:
        """Take the events of closed ticks; return the odd ones of the minutes that are over."""
        if self.off or not len(block):
            return []
        found: list[Finding] = []
        measured = _Measured(block)
        over = deque(self._traces.add(block))
        for index, minute in enumerate((block.ticks // self._per_minute).tolist()):
            if minute != self._minute:
                found += self._end_minutes(minute)
                self._minute = minute
            self._take(measured, index)
            while over and over[0][0] == index:
                self._take_trace(over.popleft()[1])
        return found

    def _take(self, measured: "_Measured", index: int) -> None:
        first, last = measured.edges[index], measured.edges[index + 1]
        if first < last:
            rows = [self._context(*context) for context in measured.contexts[first:last]]
            self._waiting.add(rows, *measured.between(first, last))

    def _take_trace(self, trace: Trace) -> None:
        row = self._context(trace.service, "trace")
        self._waiting.add([row], _padded(trace), [trace.event_id], [trace.last])

    def _context(self, service: str, kind: str) -> int:
        row = self.book.row((service, kind), ("~other", kind))
        new = len(self.book) - len(self.odd)
        if new:
            self.odd.grow(new)
            if self.river is not None:
                self.river.grow(new)
        return row

    def _end_minutes(self, minute: int) -> list[Finding]:
        rows, features, ids, times = self._waiting.taken()
        elapsed = max(minute - self._minute, 1) if self._minute >= 0 else 1
        self._age += elapsed
        self._events = self._events * 0.5 ** (elapsed / HALF_LIFE_MINUTES) + len(rows)
        if not len(rows):
            return []
        # as many events a day as these say, if they came in as many minutes as there have been, fading alike
        per_day = self._events * np.log(2) / (1 - 0.5 ** (self._age / HALF_LIFE_MINUTES))
        per_alert = max(per_day / self._alerts_per_day, 1.0)
        scores = self.odd.score(rows, features)
        chosen = {"odd": self._alerts("odd", scores, per_alert)}
        if self.river is not None:
            second = self.river.update(rows, self.odd.standardised(rows, features))
            chosen["river"] = self._alerts("river", second, per_alert / self.river.every)
        found = []
        for how, alerts in chosen.items():
            for at in np.flatnonzero(alerts).tolist():
                [why] = self.odd.explain(rows[at : at + 1], features[at : at + 1])
                found.append(
                    self._finding(how, int(rows[at]), features[at], why, ids[at], times[at], float(scores[at]))
                )
        self.odd.learn(rows, features)
        return found

    def _alerts(self, how: str, scores: Floats, per_alert: float) -> Bools:
        scored = scores > 0
        alerts = np.zeros(len(scores), bool)
        alerts[scored] = self._budgets[how].update(scores[scored], max(per_alert, 1.0))
        return alerts

    def _finding(
        self, how: str, row: int, features: Floats, why: Floats, event_id: str, time: int, score: float
    ) -> Finding:
        service, kind = self.book.names[row]
        names = FEATURES if kind == "trace" else MEASURES
        rarest = [index for index in np.argsort(-why)[:3].tolist() if why[index] > 0]
        told = ", ".join(f"{names[index]} {_original(kind, index, features[index]):.3g}" for index in rarest)
        what = {"call": "a model call", "step": "an agent step", "trace": "an agent trace"}[kind]
        return finding(
            ("odd", how, service, kind, event_id),
            time,
            kind="odd_event",
            severity="ticket",
            service_name=service,
            metric=f"odd_{kind}",
            family="odd",
            detector="mahalanobis_and_tail" if how == "odd" or self.river is None else self.river.name,
            event_ids=[event_id],
            details={names[index]: _original(kind, index, features[index]) for index in rarest} | {"score": score},
            evidence=f"{what} of {service} unlike the others: {told or 'a combination of usual values'}",
            evidence_sql=f"SELECT * FROM {'agent_steps' if kind == 'step' else 'inferences'} "
            f"WHERE event_id = {literal(event_id)}",
        )

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        river = prefixed("river_", self.river.state()) if self.river is not None else {}
        return {
            "minute": np.array([self._minute]),
            "counts": np.array([self._events, self._age]),
            **prefixed("waiting_", self._waiting.state()),
            **prefixed("traces_", self._traces.state()),
            **prefixed("book_", self.book.state()),
            **prefixed("odd_", self.odd.state()),
            **river,
            **{
                name: array
                for how, budget in self._budgets.items()
                for name, array in prefixed(f"budget_{how}_", budget.state()).items()
            },
        }

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned; a second scorer that is new learns from now on."""
        self._minute = int(state["minute"][0])
        self._events, self._age = state["counts"].tolist()
        self._waiting.restore(under("waiting_", state))
        self._traces.restore(under("traces_", state))
        self.book.restore(under("book_", state))
        self.odd.restore(under("odd_", state))
        for how, budget in self._budgets.items():
            budget.restore(under(f"budget_{how}_", state))
        if self.river is not None:
            if under("river_", state):
                self.river.restore(under("river_", state))
            else:
                self.river.grow(len(self.book))


class _Waiting:
    """The events of the minute that is not over."""

    def __init__(self) -> None:
        self._rows: list[int] = []
        self._features: list[npt.NDArray[np.float32]] = []
        self._ids: list[str] = []
        self._times: list[int] = []

    def add(self, rows: list[int], features: npt.NDArray[np.float32], ids: list[str], times: list[int]) -> None:
        """Let events wait."""
        self._rows += rows
        self._features.append(features)
        self._ids += ids
        self._times += times

    def taken(self) -> tuple[npt.NDArray[np.int64], Floats, list[str], list[int]]:
        """Return the events that wait, and let nothing wait any more."""
        features = np.concatenate([np.empty((0, WIDE), np.float32), *self._features]).astype(np.float64)
        result = np.array(self._rows, np.int64), features, self._ids, self._times
        self._rows, self._features, self._ids, self._times = [], [], [], []
        return result

    def state(self) -> Arrays:
        return {
            "rows": np.array(self._rows, np.int64),
            "features": np.concatenate([np.empty((0, WIDE), np.float32), *self._features]),
            "ids": np.array(self._ids, np.str_),
            "times": np.array(self._times, np.int64),
        }

    def restore(self, state: Arrays) -> None:
        self._rows, self._times = state["rows"].tolist(), state["times"].tolist()
        self._features, self._ids = [state["features"].astype(np.float32)], state["ids"].tolist()


class _Measured:
    """The events of some ticks of which anything was measured: what they are judged among, by, and told as."""

    def __init__(self, block: Block) -> None:
        events, groups = block.batch.events, block.batch.groups
        known = np.flatnonzero(~np.isnan(events.measures).all(axis=1))
        named = [[(group[1], kind) for kind in ("step", "call")] for group in groups]
        codes = zip(events.group[known].tolist(), (events.call[known] > 0).tolist(), strict=True)
        self.edges: list[int] = np.searchsorted(known, block.starts).tolist()
        self.contexts = [named[group][call] for group, call in codes]
        self._features = _features(events.measures[known])
        self._ids: list[str] = block.batch.shown.event_id.take(pa.array(known)).to_pylist()
        self._times: list[int] = events.time[known].tolist()

    def between(self, first: int, last: int) -> tuple[npt.NDArray[np.float32], list[str], list[int]]:
        """Return features, ids and times of some of them."""
        return self._features[first:last], self._ids[first:last], self._times[first:last]


def _features(measured: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return what was measured, on scales on which it scatters evenly: logarithms, and the logit of a score."""
    measures = measured.astype(np.float64)
    features = np.log1p(np.maximum(measures, 0))
    score = np.clip(measures[:, _SCORE], 0, 1)
    features[:, _SCORE] = np.log((score + 0.002) / (1.002 - score))
    return features.astype(np.float32)


def _padded(trace: Trace) -> npt.NDArray[np.float32]:
    features = np.full((1, WIDE), np.nan, np.float32)
    features[0, : len(FEATURES)] = trace.features()
    return features


def _original(kind: str, index: int, feature: float) -> float:
    """Return the value that a feature was made of."""
    if kind != "trace" and index == _SCORE:
        odds = float(np.exp(feature))
        return max((1.002 * odds - 0.002) / (1 + odds), 0.0)
    return float(np.expm1(feature))
