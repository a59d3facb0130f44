"""Events being sent, the recorded week or others, and the wait until everything of them is read."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from importlib import resources
from pathlib import Path
from typing import Final, NamedTuple

from schemas.events import Event
from streams.demo.engineer import Pipeline
from streams.demo.health import Health
from streams.demo.news import News, Played
from streams.demo.offsets import Offsets
from streams.demo.screen import Screen
from streams.demo.settled import STUCK_SECONDS, NotReadError, Progress
from streams.replay.disorder import disordered
from streams.replay.send import Replay, read
from streams.settings import Settings

WEEK_SECONDS: Final = 7 * 86_400
LOOK_SECONDS: Final = 1.0


Source = Callable[[int | None], Iterable[Event]]


class Pace(NamedTuple):
    """How fast events are sent, in times real time or as fast as Kafka takes it; with a seed, in another order."""

    speed: float | None
    seed: int | None = None


def recorded_week(seed: int | None) -> Iterator[Event]:
    """Yield the recorded events; with a seed, in another order."""
    with resources.as_file(resources.files("streams.demo.recorded") / "week.jsonl.gz") as path:
        events = read([Path(path)])
        yield from events if seed is None else disordered(events, seed)


class _StoppedError(Exception):
    """The player was told to stop."""


class Player:
    """Sends events in a thread of its own.

    Parameters
    ----------
    pace
        How fast they shall be sent; it takes longer where Kafka does not take them so fast.
    played
        Is told which event time was sent when.
    source
        Gives the events for a seed.
    pipeline
        Announces changes as time passes.
    """

    def __init__(
        self, settings: Settings, pace: Pace, played: Played, source: Source, pipeline: Pipeline | None = None
    ) -> None:
        self.played: Final = played
        self._source: Final = source
        self._pipeline: Final = pipeline
        self._seed: Final = pace.seed
        self._replay: Final = Replay(settings, pace.speed, self._note)
        self._stop: Final = threading.Event()
        self._thread: Final = threading.Thread(target=self._run, name="player", daemon=True)
        self._error: Exception | None = None
        self.started = time.monotonic()
        self.sent = 0
        self.event_time = 0
        self.ended = False

    def start(self) -> None:
        """Begin to send."""
        self.started = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """Send no more; what waits for a service that does not answer is left to itself."""
        self._stop.set()

    def check(self) -> None:
        """Raise what has ended the sending too early."""
        if self._error is not None:
            raise self._error

    def text(self) -> str:
        """Return how far it is."""
        moment = time.strftime("%a %Y-%m-%d %H:%M", time.gmtime(self.event_time / 1e9)) if self.event_time else "-"
        if self.ended:
            return f"all {self.sent:,} events are sent"
        rate = self.sent / max(time.monotonic() - self.started, 1)
        return f"{moment} UTC, {self.sent:,} events sent, {rate:,.0f}/s"

    def _run(self) -> None:
        try:
            self._replay.run(self._source(self._seed))
            self.ended = True
        except _StoppedError:
            return
        except Exception as error:  # noqa: BLE001  raised again by `check`, in the thread that waits
            self._error = error

    def _note(self, sent: int, event_time: int) -> None:
        if self._stop.is_set():
            raise _StoppedError
        self.sent, self.event_time = sent, event_time
        self.played.note(event_time, time.monotonic())
        if self._pipeline is not None:
            self._pipeline.progress(event_time)


class Follower:
    """Waits until all that was sent is read, and says what it waits for.

    Parameters
    ----------
    check
        Called again and again; keeps the workers running where they are ours.
    """

    def __init__(
        self, player: Player, offsets: Offsets, health: Health, news: News, screen: Screen, check: Callable[[], None]
    ) -> None:
        self._player: Final = player
        self._offsets: Final = offsets
        self._health: Final = health
        self._news: Final = news
        self._screen: Final = screen
        self._check: Final = check
        self._progress: Final = Progress(time.monotonic())

    def wait(self) -> None:
        """Return when everything is sent and nothing is left to read.

        Raises
        ------
        NotReadError
            Where nothing has moved for long.
        """
        while True:
            self._player.check()
            self._check()
            ended = self._player.ended  # before the look, which then is of all that was sent
            self._progress.note(self._offsets.look(time.monotonic(), self._player.sent))
            self._screen.news(self._news.take())
            if ended and self._progress.last.settled:
                return
            if self._progress.still(time.monotonic()) >= STUCK_SECONDS:
                raise NotReadError("\n".join([f"nothing has moved for {STUCK_SECONDS:.0f} s", *self._troubles()]))
            if self._screen.due:
                self._screen.show("\n".join([self.text(), *self._troubles()]))
            time.sleep(LOOK_SECONDS)

    def text(self) -> str:
        """Return in a line how far everything is."""
        return f"{self._player.text()}; {self._progress.waiting()}"

    def unread(self) -> str:
        """Return what is not read yet, as far as it is known."""
        known = [] if self._player.ended else ["the rest of the week, which is not sent"]
        return "; ".join([*known, *self._progress.unread()]) or "what came last"

    def _troubles(self) -> list[str]:
        said = [self._health.trouble(name) for name in self._progress.stuck(time.monotonic())]
        return [trouble for trouble in said if trouble is not None]
