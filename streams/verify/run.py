"""The whole comparison of a period, partition by partition."""

from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from schemas.sql import query
from schemas.topics import INFERENCE
from streams.history.two_paths import EVENT_TABLES
from streams.kafka.topics import KafkaUnavailableError, TopicError
from streams.settings import Settings
from streams.store.ask import ask_rows
from streams.verify.findings import Counts, Hole, Report
from streams.verify.kafka import Held, all_before, held, letters_of
from streams.verify.minutes import check_minutes
from streams.verify.offsets import Ask, check_offsets
from streams.verify.ticks import check_ticks
from streams.verify.times import shown

_HERE: Final = "streams.verify"
FOREVER: Final = 2**32 - 1


class Verifier:
    """Compares a period.

    Parameters
    ----------
    settings
        Name the store, Kafka and the length of a tick.
    since, until
        The period in Unix seconds: of the rollups and windows by event time, of the log by when it was written.
    """

    def __init__(self, settings: Settings, since: datetime | None, until: datetime | None) -> None:
        self._settings: Final = settings
        self._since: Final = None if since is None else int(since.replace(tzinfo=UTC).timestamp())
        self._until: Final = None if until is None else int(until.replace(tzinfo=UTC).timestamp())
        self._final: Final = not settings.clickhouse.startswith("chdb://")
        self._report: Final = Report()
        self._letters: Final = cache(lambda: letters_of(settings))
        self._kept = 0

    def run(self) -> Report:
        """Return what was compared and every hole."""
        self._kept = int(self._ask(query(_HERE, "kept"), {})[0]["kept"])
        log = self._held()  # before the store is asked, so that all it names has been stored
        horizons = {(row["topic_id"], int(row["partition"])): row for row in self._ask(query(_HERE, "horizons"), {})}
        places = {(row["topic_id"], int(row["partition"])): row for row in self._places()}
        for key in sorted(set(places) | set(log or {})):
            counts = Counts(*key)
            self._report.counts.append(counts)
            self._check(counts, None if log is None else log.get(key), horizons.get(key), places.get(key))
        return self._report

    def _ask(self, text: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        return ask_rows(self._settings, text, parameters)

    def _held(self) -> dict[tuple[str, int], Held] | None:
        try:
            return held(self._settings, INFERENCE, self._since, self._until)
        except (KafkaUnavailableError, TopicError) as error:
            self._report.notes.append(f"the log can't be asked ({error}); the store is compared with itself alone")
            return None

    def _places(self) -> list[dict[str, Any]]:
        limited = self._since is not None or self._until is not None
        return self._ask(
            query(_HERE, "places", tables=EVENT_TABLES, limited=limited),
            {"topic": self._settings.topic(INFERENCE.name)}
            | ({"since": self._since or 0, "until": self._until or FOREVER} if limited else {}),
        )

    def _check(
        self, counts: Counts, log: Held | None, horizon: dict[str, Any] | None, place: dict[str, Any] | None
    ) -> None:
        ask: Ask = self._ask
        self._check_offsets(counts, log, place)
        if place is None:
            return
        committed = log.committed if log else 0
        since, until = max(self._since or 0, self._kept), self._until or FOREVER
        self._report.holes += check_minutes(
            ask, counts, max(int(place["from"]), since), min(int(place["until"]) + 60, until), committed
        )
        self._check_ticks(counts, horizon, place, since, until)

    def _check_offsets(self, counts: Counts, log: Held | None, place: dict[str, Any] | None) -> None:
        first, last = (int(place["first"]), int(place["last"]) + 1) if place else (None, None)
        if log is not None:
            counts.not_yet_stored = max(log.end - max(log.committed, log.first), 0)
            end = min(log.end, log.committed)
            if self._since is None and first is not None:
                if first < log.begin:
                    self._report.notes.append(
                        f"partition {counts.partition}: Kafka holds offsets from {log.begin} on; what is older is "
                        "compared in the store alone"
                    )
                first = min(first, log.begin)
            else:
                first = log.first
        elif first is None or last is None or (self._since, self._until) != (None, None):
            return  # offsets of a period are told by the log alone
        else:
            end = last
        if end <= first:
            counts.log = 0
            return
        counts.log = end - first
        letters = self._letters if log is not None else set
        holes = list(check_offsets(self._ask, counts, first, end, letters, final=self._final))
        if self._kept and log is not None:
            holes = [hole for hole in holes if not self._gone(hole)]
        self._report.holes += holes

    def _gone(self, hole: Hole) -> bool:
        """Tell whether all that is missing was removed because of its age."""
        missing = hole.what == "rows missing"
        return missing and all_before(self._settings, hole.partition, hole.first, hole.last, self._kept)

    def _check_ticks(
        self, counts: Counts, horizon: dict[str, Any] | None, place: dict[str, Any], since: int, until: int
    ) -> None:
        tick = self._settings.tick_seconds
        closed = int(horizon["closed"]) if horizon else 0
        begin = int(horizon["begin"]) if horizon else 0
        place_of = {"topic_id": counts.topic_id, "partition": counts.partition}
        counts.not_yet_counted = sum(
            int(row["n"])
            for row in self._ask(query(_HERE, "still_open", tables=EVENT_TABLES), place_of | {"closed": closed})
        )
        if int(place["unknown"]):
            self._report.notes.append(
                f"partition {counts.partition}: {place['unknown']} rows were stored before rows said when they count; "
                "they are not held against the windows (`watchkeeper rebuild` on an empty store mends that)"
            )
        if begin > since:
            self._report.notes.append(
                f"partition {counts.partition}: rows and windows are compared from {shown(begin)} on, where the store "
                "holds both paths whole"
            )
        whole = -(-self._kept // tick) * tick  # of an earlier tick some rows may be gone
        first = max(begin, since, whole, int(place["counted_from"]) // tick * tick)
        end = min(closed, until // tick * tick)
        self._report.holes += check_ticks(self._ask, counts, first, end, tick)
