"""Whole ticks to findings: which series there are, what the detectors say of them, and how it is put to people.

A pure function of the sequence of ticks. Beside each (tenant, service, model version) stands the service as a
whole, named ``*``: rare flags of many tenants show there first. Only one finding of a service and family pages
at a time; further series of it that alarm are tickets, because someone is already on the way.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, Final

import numpy as np

from detectors.base import Alarm, Floats, Ints, Recovery
from detectors.budget import threshold
from detectors.rates import RateDetector
from detectors.river_vote import DriftVote, Vote
from schemas.findings import Finding, Severity
from schemas.metrics import RATES
from streams.checkpoints import Arrays, over, under
from streams.evidence import describe_alarm, describe_recovery, evidence_query, ticks_per_day
from streams.merge import Sums
from streams.reduce import OTHER
from streams.ticks import NANO

WHOLE: Final = "*"
VERSION: Final = "1"
RECENT_DAYS: Final = 1.0

Series = tuple[str, str, str, int]
"""Tenant, service, model version, index of the rate."""


class Judge:
    """The detectors of one partition of the windows.

    Parameters
    ----------
    tick_seconds
        Length of a tick.
    pages_per_day
        This partition's share of the fleet's budget.
    max_series
        Series it follows; further ones are summed under ``~other``.
    river_detector, river_parameters
        The class that votes, and its arguments.
    """

    def __init__(
        self,
        tick_seconds: int,
        pages_per_day: float,
        max_series: int,
        river_detector: str,
        river_parameters: dict[str, Any],
    ) -> None:
        self._tick_seconds: Final = tick_seconds
        self._pages_per_day: Final = pages_per_day
        self._max_series: Final = max_series
        self.rates = RateDetector(tick_seconds)
        self.votes = DriftVote(river_detector, river_parameters)
        self.series: list[Series] = []
        self._index: dict[Series, int] = {}
        self._last_tick: Ints = np.empty(0, np.int64)
        self._first_tick: Ints = np.empty(0, np.int64)
        self._active: Floats = np.empty(0)  # recent ticks with data, fading over a day
        self._open: dict[tuple[str, str], str] = {}  # (service, family) -> finding that pages
        self._opened: dict[int, str] = {}  # series -> its open finding
        self.overflow = 0

    def judge(self, tick: int, sums: Sums) -> list[Finding]:
        """Return what one whole tick brings to light."""
        cells = self._cells(sums)
        rows = np.array(sorted(cells), np.int64)
        trials = np.array([cells[row][0] for row in rows.tolist()], np.float64)
        flagged = np.array([cells[row][1] for row in rows.tolist()], np.float64)
        self._note_activity(rows, tick)
        expected, _ = self.rates.baseline.rates(rows, tick)
        promise = self.promise(tick)
        alarms, recoveries = self.rates.update(tick, rows, trials, flagged, promise)
        # a vote needs a series whose baseline is its own; the wholes see each change first
        whole = np.array([self.series[row][0] == WHOLE for row in rows.tolist()], bool)
        whole &= self.rates.baseline.settled(rows)
        votes = self.votes.update(tick, rows[whole], trials[whole], flagged[whole], expected[whole])
        ordered = sorted(alarms, key=lambda alarm: (self.series[alarm.series][0] != WHOLE, self.series[alarm.series]))
        return [
            *(self._alarm_finding(alarm) for alarm in ordered),
            *(self._recovery_finding(recovery) for recovery in recoveries),
            *(self._vote_finding(vote) for vote in votes),
        ]

    def promise(self, tick: int) -> float:
        """Return the threshold: mean active ticks of a series until a false alarm, for the budget to hold."""
        day = ticks_per_day(self._tick_seconds)
        alive = self._last_tick > tick - day * RECENT_DAYS
        if not alive.any():
            return threshold(1, day, self._pages_per_day)
        # until a series has been seen for a day, its activity is taken to go on as it began
        age = np.clip(tick - self._first_tick[alive] + 1, day / 24, day)
        faded = self._active[alive] * 0.5 ** ((tick - self._last_tick[alive]) / day)
        per_day = np.minimum(faded / (1 - 0.5 ** (age / day)) * np.log(2), day)
        return threshold(float(alive.sum()), float(per_day.mean()), self._pages_per_day)

    def _cells(self, sums: Sums) -> dict[int, list[int]]:
        """Return (trials, flagged) by series, the wholes among them."""
        cells: dict[int, list[int]] = {}
        for group in sorted(sums):
            for index, (trials, flagged) in enumerate(sums[group]):
                if not trials:
                    continue
                for series in ((WHOLE, group[1], WHOLE, index), (*group, index)):
                    cell = cells.setdefault(self._row(series), [0, 0])
                    cell[0] += trials
                    cell[1] += flagged
        return cells

    def _row(self, series: Series) -> int:
        row = self._index.get(series)
        if row is not None:
            return row
        if len(self.series) >= self._max_series and series[1] != OTHER[1]:
            self.overflow += 1
            return self._row((*OTHER, series[3]))
        self._index[series] = row = len(self.series)
        self.series.append(series)
        whole = self._index.get((WHOLE, *series[1:2], WHOLE, series[3]), -1)
        policy = np.array([RATES[series[3]].ceiling])
        self.rates.grow(policy, np.array([-1 if whole == row else whole]), policy)
        self.votes.grow(1)
        for name, first in (("_last_tick", 0), ("_first_tick", -1), ("_active", 0)):
            array = getattr(self, name)
            setattr(self, name, np.append(array, np.array(first, array.dtype)))
        return row

    def _note_activity(self, rows: Ints, tick: int) -> None:
        fade = 0.5 ** ((tick - self._last_tick[rows]) / ticks_per_day(self._tick_seconds))
        self._active[rows] = self._active[rows] * fade + 1
        self._last_tick[rows] = tick
        self._first_tick[rows] = np.where(self._first_tick[rows] < 0, tick, self._first_tick[rows])

    def _alarm_finding(self, alarm: Alarm) -> Finding:
        tenant, service, version, rate = self.series[alarm.series]
        key = (service, RATES[rate].family)
        finding_id = self._identity("rate", alarm.series, alarm.tick)
        self._opened[alarm.series] = finding_id
        severity: Severity = "ticket" if key in self._open else "page"
        self._open.setdefault(key, finding_id)
        return Finding(
            finding_id=finding_id,
            kind="rate",
            severity=severity,
            detector="mixture_shiryaev_roberts",
            direction="up",
            e_value=min(alarm.e_value, 1e300),
            promise=alarm.promise,
            versions=self._versions(service, alarm.onset_tick),
            changes=self._new_versions(service, alarm.onset_tick),
            tenants=self._tenants(service, rate, alarm.onset_tick),
            evidence=describe_alarm(alarm, RATES[rate], service, self._tick_seconds),
            **self._common(alarm, tenant, service, version, rate, alarm.onset_tick),
        )

    def _recovery_finding(self, recovery: Recovery) -> Finding:
        tenant, service, version, rate = self.series[recovery.series]
        opened = self._opened.pop(recovery.series, None)
        key = (service, RATES[rate].family)
        if self._open.get(key) == opened:
            del self._open[key]
        return Finding(
            finding_id=self._identity("recovery", recovery.series, recovery.tick),
            kind="recovery",
            severity="info",
            detector="mixture_shiryaev_roberts",
            direction="down",
            e_value=recovery.e_value,
            opened_finding_id=opened,
            evidence=describe_recovery(recovery, RATES[rate], service),
            **self._common(recovery, tenant, service, version, rate, recovery.tick),
        )

    def _common(
        self, found: Alarm | Recovery, tenant: str, service: str, version: str, rate: int, onset_tick: int
    ) -> dict[str, Any]:
        return {
            "service_name": service,
            "tenant_id": tenant,
            "model_version": version,
            "metric": RATES[rate].name,
            "family": RATES[rate].family,
            "detected_time_unix_nano": self._end_of(found.tick),
            "onset_time_unix_nano": onset_tick * self._tick_seconds * NANO,
            "detector_version": VERSION,
            "rate": found.rate,
            "rate_lower": found.lower,
            "rate_upper": found.upper,
            "baseline": found.baseline,
            "sample_size": found.trials,
            "flagged": found.flagged,
            "evidence_sql": evidence_query(
                self._tick_seconds, (tenant, service, version), RATES[rate].name, onset_tick, found.tick
            ),
        }

    def _vote_finding(self, vote: Vote) -> Finding:
        tenant, service, version, rate = self.series[vote.series]
        return Finding(
            finding_id=self._identity("drift_vote", vote.series, vote.tick),
            kind="drift_vote",
            severity="ticket",
            service_name=service,
            tenant_id=tenant,
            model_version=version,
            metric=RATES[rate].name,
            family=RATES[rate].family,
            detected_time_unix_nano=self._end_of(vote.tick),
            detector=self.votes.name,
            detector_version=VERSION,
            direction="up" if vote.direction == "up" else "down",
            evidence=f"{self.votes.name} sees {RATES[rate].name} of {service} drift {vote.direction}; a second opinion",
        )

    def _end_of(self, tick: int) -> int:
        return (tick + 1) * self._tick_seconds * NANO

    def _identity(self, kind: str, row: int, tick: int) -> str:
        text = "/".join(map(str, (kind, *self.series[row], tick)))
        return hashlib.sha256(text.encode()).hexdigest()[:32]

    def _of_service(self, service: str) -> Iterable[tuple[int, Series]]:
        return ((row, series) for row, series in enumerate(self.series) if series[1] == service and series[0] != WHOLE)

    def _versions(self, service: str, since: int) -> list[str]:
        found = {series[2] for row, series in self._of_service(service) if self._last_tick[row] >= since}
        return sorted(found - {""})[:20]

    def _new_versions(self, service: str, onset: int) -> list[str]:
        """Return model versions of the service first seen in the day before the onset or since."""
        day = ticks_per_day(self._tick_seconds)
        earliest: dict[str, int] = {}
        for row, series in self._of_service(service):
            if series[2]:
                first = int(self._first_tick[row])
                earliest[series[2]] = min(first, earliest.get(series[2], first))
        oldest = min(earliest.values(), default=0)
        return [
            f"model version {version} first seen at tick {first}"
            for version, first in sorted(earliest.items())
            if first > oldest and first >= onset - day
        ][:20]

    def _tenants(self, service: str, rate: int, since: int) -> list[str]:
        found = {
            series[0]
            for row, series in self._of_service(service)
            if series[3] == rate and self._last_tick[row] >= since
        }
        return sorted(found - {""})[:50]

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {
            "series_names": np.array([series[:3] for series in self.series], np.str_).reshape(-1, 3),
            "series_rates": np.array([series[3] for series in self.series], np.int64),
            "last_tick": self._last_tick.copy(),
            "first_tick": self._first_tick.copy(),
            "active": self._active.copy(),
            "open": np.array([(*key, value) for key, value in sorted(self._open.items())], np.str_).reshape(-1, 3),
            "opened_rows": np.array(sorted(self._opened), np.int64),
            "opened_ids": np.array([self._opened[row] for row in sorted(self._opened)], np.str_),
            "overflow": np.array([self.overflow], np.int64),
            **over("rates_", self.rates.state()),
            **over("votes_", self.votes.state()),
        }

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        names, rates = state["series_names"].tolist(), state["series_rates"].tolist()
        self.series = [(*name, rate) for name, rate in zip(names, rates, strict=True)]
        self._index = {series: row for row, series in enumerate(self.series)}
        self._last_tick = state["last_tick"].astype(np.int64)
        self._first_tick = state["first_tick"].astype(np.int64)
        self._active = state["active"].astype(np.float64)
        self._open = {(service, family): finding for service, family, finding in state["open"].tolist()}
        self._opened = dict(zip(state["opened_rows"].tolist(), state["opened_ids"].tolist(), strict=True))
        self.overflow = int(state["overflow"][0])
        self.rates = RateDetector.from_state(under("rates_", state), self._tick_seconds)
        self.votes.restore(under("votes_", state))
