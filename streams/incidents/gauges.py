"""What Prometheus' rules are about, on `/metrics`: the KPIs as the store has them, and how long incidents are open.

KPIs with an objective are read every so often by a task of their own, each over its window in the registry up to the
time of the stream, so that a replayed week has KPIs too. Ages of incidents come from the fold at each scrape, whether
the store answers or not. What is not known has no series, and a worker that does not hold the incidents shows nothing.
"""

import asyncio
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final, NamedTuple

import structlog
from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from schemas.fields import NANO
from schemas.kpis import BY_ID, OBJECTIVES
from schemas.kpis.kpi import Kpi
from schemas.kpis.objectives import BURNS
from streams.incidents.fold.incident_log import StreamClock
from streams.incidents.fold.state import OVER, Incident
from streams.incidents.worker import Incidents
from streams.kpis.period import Period, begin
from streams.settings import Settings
from streams.store.ask import ask_running
from streams.worker.background import in_background

log: Final = structlog.get_logger()

NEWEST: Final = "SELECT toUnixTimestamp(max(minute)) AS newest FROM service_minutes"
LABELS: Final = {
    "watchkeeper_kpi": ("kpi", "service", "part"),
    "watchkeeper_incident_open_seconds": ("incident_id", "service", "severity", "state"),
}
_ROWS: Final = "SELECT kpi, part, service_name, value, lower, upper, n, trust, trust_reason FROM "
_OVER_A_WINDOW: Final = (
    "(since={since:DateTime('UTC')}, until={until:DateTime('UTC')}, step={step:UInt32}, versions=0,"
    " objective={objective:Float64}, known_at={until:DateTime('UTC')}) WHERE has({kpis:Array(String)}, kpi)"
)
_OF_ALL_TIME: Final = (
    "kpi_burn_rates(objective={objective:Float64}, at={until:DateTime('UTC')})",
    "kpi_call_burn_rates(at={until:DateTime('UTC')})",
    "kpi_governance_now",
)
"""What has windows of its own, or none. The view of all KPIs would do too, at three times the cost."""


def _view(kpi: Kpi) -> tuple[str, int]:
    return kpi.view, kpi.window_hours


WINDOWS: Final = {
    key: [kpi.id for kpi in kpis]
    for key, kpis in groupby(sorted((BY_ID[kpi] for kpi in OBJECTIVES if kpi != "governance"), key=_view), key=_view)
}
"""KPIs by their view and the hours of their window: one question each."""
BURN_OF: Final = {burn.part: burn for burn in BURNS}


class Sample(NamedTuple):
    """One series, its labels as in `LABELS`."""

    labels: tuple[str, ...]
    value: float


def kpi_samples(rows: Iterable[dict[str, Any]]) -> Iterator[Sample]:
    """Yield the series of KPIs: a bound that is not known has none.

    Parameters
    ----------
    rows
        Of the views of KPIs.

    >>> row = {"kpi": "mitigation", "part": "", "service_name": "a", "value": 1, "lower": 0.2, "upper": None}
    >>> [(labels[-1], value) for labels, value in kpi_samples([row | {"trust": "untrusted"}])]
    [('value', 1.0), ('lower', 0.2), ('trusted', 0.0)]
    """
    for row in rows:
        name = BURN_OF[row["part"]].of(row["kpi"]) if row["kpi"].endswith("burn_rate") else row["kpi"]
        known = {part: row[part] for part in ("value", "lower", "upper")} | {"trusted": row["trust"] == "trusted"}
        for part, value in known.items():
            if value is not None:
                yield Sample((name, row["service_name"], part), float(value))


def incident_samples(incidents: Iterable[Incident], now_unix_nano: int) -> Iterator[Sample]:
    """Yield the age of each incident that is not closed, since its detection.

    Parameters
    ----------
    now_unix_nano
        Time of the stream.
    """
    for each in incidents:
        if each.status not in OVER:
            age = max(now_unix_nano - each.clocks.detected, 0) / NANO
            yield Sample((each.incident_id, each.service, each.severity, each.status), age)


def newest_minute(settings: Settings) -> int | None:
    """Return the newest minute in the store in Unix seconds, or None where it is empty; errors as of `read_kpis`."""
    [found] = ask_running(settings, NEWEST, {})
    return int(found["newest"]) or None


def read_kpis(settings: Settings, now_unix_nano: int) -> list[Sample]:
    """Return the series of all KPIs, each over its window up to a time.

    Raises
    ------
    OSError, ValueError
        Where the store does not answer, or not as it should.
    """
    until = datetime.fromtimestamp(now_unix_nano // NANO, UTC)
    found: list[Sample] = []
    for (view, hours), kpis in WINDOWS.items():
        found += kpi_samples(window_rows(settings, view, hours, kpis, until))
    for source in _OF_ALL_TIME:
        found += kpi_samples(ask_running(settings, _ROWS + source, Period(until, until).parameters()))
    return found


def window_rows(settings: Settings, view: str, hours: int, kpis: list[str], until: datetime) -> list[dict[str, Any]]:
    """Return KPIs of one view over their window up to a time, a row a service; errors as of `read_kpis`."""
    asked = Period(begin(f"{hours}h", until), until).parameters() | {"kpis": kpis}
    return ask_running(settings, _ROWS + view + _OVER_A_WINDOW, asked)


class Gauges:
    """Runs beside the fold of a worker, and answers each scrape of its registry."""

    def __init__(self, work: Incidents) -> None:
        self._work: Final = work
        self._clock: Final = StreamClock()
        self._kpis: list[Sample] = []
        self._newest: int | None = None
        self._refreshed: float | None = None
        self._errors = 0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Answer scrapes, and begin to read."""
        REGISTRY.register(self)
        self._task = in_background(self._regularly())

    async def stop(self) -> None:
        """End both."""
        REGISTRY.unregister(self)
        if self._task is not None:
            self._task.cancel()

    async def _regularly(self) -> None:
        while True:
            await self.refresh()
            await asyncio.sleep(self._work.settings.gauge_seconds)

    async def refresh(self) -> None:
        """Read the KPIs anew; where the store does not answer there are none.

        The stream has come as far as the newest of what is stored and of what is known of incidents.
        """
        incident_log, wall = await self._work.incident_log(), time.time_ns()
        if incident_log is None:
            self._kpis, self._newest = [], None
            return
        try:
            self._newest = await asyncio.to_thread(newest_minute, self._work.settings)
            if self._newest is not None:
                self._clock.note(self._newest * NANO, wall)
            now = max(incident_log.clock.now(wall) or 0, self._clock.now(wall) or 0)
            self._kpis = await asyncio.to_thread(read_kpis, self._work.settings, now) if now else []
            self._refreshed = wall / NANO
        except (OSError, ValueError) as error:
            self._kpis, self._newest = [], None
            self._errors += 1
            log.warning("the KPIs were not read", error=str(error)[:200])

    def describe(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """Return what there may be, for the registry."""
        return self._families([], [])

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        """Return what is known now."""
        incident_log = self._work.held
        now = None if incident_log is None else incident_log.clock.now(time.time_ns())
        ages = (
            [] if incident_log is None or now is None else list(incident_samples(incident_log.folding.incidents(), now))
        )
        return self._families([] if incident_log is None else self._kpis, ages)

    def _families(
        self, kpis: Iterable[Sample], ages: Iterable[Sample]
    ) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        yield _gauge("watchkeeper_kpi", "KPIs, each over its window", kpis)
        yield _gauge("watchkeeper_incident_open_seconds", "Age of an open incident since its detection", ages)
        yield CounterMetricFamily("watchkeeper_kpi_refresh_errors", "Times the KPIs were not read", self._errors)
        times = {
            "watchkeeper_kpi_refreshed_timestamp_seconds": ("When the KPIs were last read", self._refreshed),
            "watchkeeper_newest_minute_timestamp_seconds": ("The newest minute in the store", self._newest),
        }
        for name, (text, at) in times.items():
            yield GaugeMetricFamily(name, text, at)


def _gauge(name: str, text: str, samples: Iterable[Sample]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=LABELS[name])
    for sample in samples:
        family.add_metric(sample.labels, sample.value)
    return family
