"""When a week played to services that run elsewhere is done, and whether it may begin: told from the store alone.

Their health pages may be out of reach, so nobody says what waits. What was sent is stored and counted when the store
has as many; that nothing more will be found is concluded from a while without news.
"""

from typing import Final

from schemas.topics import TOPICS
from streams.api_client import call
from streams.kafka_admin import check_topics
from streams.migrate import check_schema
from streams.settings import Settings
from streams.sql_client import ask_rows
from streams.storage import connect

EVENT_TABLES: Final = ("inferences", "agent_steps", "retrievals", "telemetry")
LATER_TABLES: Final = ("findings", "incident_transitions", "incident_actions", "incident_evidence", "window_messages")
STILL_SECONDS: Final = 20.0

_COUNTED: Final = "SELECT sum(events) FROM windows FINAL WHERE metric = 'injection_flag'"
_COUNTS: Final = ", ".join(
    (
        *(f"(SELECT count() FROM {name} FINAL) AS {name}" for name in (*EVENT_TABLES, *LATER_TABLES)),
        f"({_COUNTED}) AS counted",
    )
)


def store_counts(settings: Settings) -> dict[str, int]:
    """Return how many rows each table of the way of an event has, and how many events the windows `counted`."""
    return {name: int(value) for name, value in ask_rows(settings, f"SELECT {_COUNTS}")[0].items()}


class Stillness:
    """Tells when everything sent is stored and counted, and no count has changed for a while."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._since = 0.0

    def settled(self, counts: dict[str, int], sent: int, marks: int, now: float) -> bool:
        """Tell whether all is done.

        Parameters
        ----------
        counts
            As `store_counts` returns them.
        sent, marks
            Events of the week, and marks of time beside them.
        now
            Seconds, of any steady clock.

        Examples
        --------
        >>> stillness = Stillness()
        >>> counts = dict.fromkeys((*EVENT_TABLES, *LATER_TABLES), 0) | {"inferences": 5, "telemetry": 2, "counted": 5}
        >>> [stillness.settled(counts, 5, 2, now) for now in (100.0, 119.0, 120.0)]
        [False, False, True]
        """
        if counts != self._last:
            self._last, self._since = counts, now
        stored = sum(counts[name] for name in EVENT_TABLES)
        return stored >= sent + marks and counts["counted"] >= sent and now - self._since >= STILL_SECONDS


def check_ready(settings: Settings) -> None:
    """Refuse services that are not all there, or whose store has events of its own.

    Raises
    ------
    ValueError, RuntimeError, ConnectionError
        With what to do.
    """
    check_topics(settings, TOPICS)
    if not settings.clickhouse.startswith("chdb://"):
        check_schema(connect(settings))
    counts = store_counts(settings)
    if stored := sum(counts[name] for name in EVENT_TABLES):
        raise ValueError(
            f"{settings.clickhouse} holds {stored} events already, and the demo counts all there are; play it to an "
            "empty installation"
        )
    call(settings, "GET", "/incidents")
