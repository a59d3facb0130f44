"""Whether everything between an event and a page moves: judged by what Kafka says of every kind of worker."""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Final

from streams.kafka.groups import Place, Standing


class Chain:
    """Remembers since when something waits or is away.

    Parameters
    ----------
    late_seconds
        For how long a record may wait, or a kind of worker be away: both happen whenever one is started again.
    """

    def __init__(self, late_seconds: float) -> None:
        self._late: Final = late_seconds
        self._away: dict[str, float] = {}
        self._waiting: dict[tuple[str, Place], deque[tuple[float, int]]] = {}
        self.whole = False

    def look(self, at: float, kinds: Mapping[str, Standing] | None, others: Mapping[str, str]) -> list[str]:
        """Return in words what does not move, and for too long.

        Parameters
        ----------
        at
            Seconds of a clock that is never set.
        kinds
            How each kind of worker stands; None where Kafka does not say.
        others
            What else is wrong now, in words by what it is about.

        `whole` says afterwards whether everything was there at once, in this look or one before.
        """
        wrong = dict(others)
        if kinds is None:
            wrong["Kafka"] = "Kafka does not say how far workers are"
        for kind, standing in (kinds or {}).items():
            if not standing.members:
                wrong[kind] = f"no {kind} worker runs"
        self._away = {name: self._away.get(name, at) for name in wrong}
        self.whole = self.whole or not wrong
        found = [
            f"{text}, for {at - self._away[name]:.0f} s"
            for name, text in wrong.items()
            if at - self._away[name] >= self._late
        ]
        return [*found, *(text for kind, standing in (kinds or {}).items() for text in self._stuck(at, kind, standing))]

    def _stuck(self, at: float, kind: str, standing: Standing) -> Iterator[str]:
        """Yield which partitions have records that wait too long: by when the log was seen to end behind them."""
        for place, (following, end) in standing.read.items():
            seen = self._waiting.setdefault((kind, place), deque())
            while seen and seen[0][1] <= following:
                seen.popleft()
            if end > following and (not seen or seen[-1][1] < end):
                seen.append((at, end))
            if seen and at - seen[0][0] >= self._late:
                topic, number = place
                yield (
                    f"{kind} has not read what has waited for {at - seen[0][0]:.0f} s in {topic}, partition {number}: "
                    f"{end - following} records"
                )
