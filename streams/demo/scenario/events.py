"""All events of the scenario in one order; the same start and seed give the same events, to the last byte."""

import heapq

import numpy as np

from schemas.events import Event
from streams.demo.scenario.agents import traces
from streams.demo.scenario.assistant import conversations
from streams.demo.scenario.records import probes
from streams.demo.scenario.story import ASSISTANT, DESK, Story


def events(start: int, seed: int = 0) -> list[Event]:
    """Return the events of all services as time passes.

    Parameters
    ----------
    start
        When it begins, Unix seconds.

    >>> first = events(1_773_100_800)[0]
    >>> first == events(1_773_100_800)[0], first == events(1_773_100_800, 1)[0]
    (True, False)
    """
    one, two, three, four = (Story(start, chance) for chance in np.random.default_rng(seed).spawn(4))
    sources = (conversations(one, ASSISTANT), conversations(two, DESK), traces(three), probes(four))
    return list(heapq.merge(*(sorted(source, key=_time) for source in sources), key=_time))


def _time(event: Event) -> int:
    return event.time_unix_nano
