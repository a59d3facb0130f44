"""What the detectors of rates bring to light, by the tick in which they do."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from detectors.base import Alarm, Recovery
from detectors.river.vote import Vote
from streams.detect.pools import Pooled


@dataclass(slots=True)
class News:
    """What is new in a tick."""

    alarms: list[Alarm] = field(default_factory=list)
    recoveries: list[Recovery] = field(default_factory=list)
    votes: list[Vote] = field(default_factory=list)
    pooled: list[Pooled] = field(default_factory=list)


def news_by_tick(
    alarms: Iterable[Alarm],
    recoveries: Iterable[Recovery],
    votes: Iterable[Vote],
    pooled: Iterable[tuple[int, Pooled]],
) -> dict[int, News]:
    """Return what is new by tick, each kind in the order in which it is given."""
    news: dict[int, News] = {}
    for alarm in alarms:
        news.setdefault(alarm.tick, News()).alarms.append(alarm)
    for recovery in recoveries:
        news.setdefault(recovery.tick, News()).recoveries.append(recovery)
    for vote in votes:
        news.setdefault(vote.tick, News()).votes.append(vote)
    for tick, each in pooled:
        news.setdefault(tick, News()).pooled.append(each)
    return news
