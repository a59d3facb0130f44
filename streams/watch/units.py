"""The unit of counting of events that say too little or too much of their session.

An event without a session takes that of its trace, where another event of the trace names one in the same tick: often
only the root of a trace does. A session with more traces in one tick than a person can begin is no session but all
traffic of a project: there each trace is a unit of its own.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from streams.events.hashing import mixed
from streams.watch.batches import EventColumns, Int64s, UInt64s
from streams.watch.blocks import Block

MOST_TRACES: Final = 5
"""Traces of one session in one tick."""


def with_units(block: Block) -> Block:
    """Return the closed ticks with the session that each event counts under."""
    events = block.batch.events
    if not len(block):
        return block
    index = block.index()
    session = _of_traffic(_of_traces(events.session, events, index), events, index)
    if session is events.session:
        return block
    return replace(block, batch=replace(block.batch, events=replace(events, session=session)))


def _of_traces(session: UInt64s, events: EventColumns, index: Int64s) -> UInt64s:
    """Give events without a session that of their trace; an event's session is its trace where it names none."""
    without = session == events.trace
    if without.all() or not without.any():
        return session
    key = mixed(events.trace, index.astype(np.uint64))
    named = np.flatnonzero(~without)
    named = named[np.lexsort((session[named], key[named]))]
    at = np.minimum(np.searchsorted(key[named], key), len(named) - 1)
    found = without & (key[named][at] == key)
    return np.where(found, session[named][at], session) if found.any() else session


def _of_traffic(session: UInt64s, events: EventColumns, index: Int64s) -> UInt64s:
    """Take sessions apart that are none."""
    key = mixed(session, index.astype(np.uint64))
    distinct, of, count = np.unique(key, return_inverse=True, return_counts=True)
    if count.max() <= MOST_TRACES:
        return session
    busy = np.flatnonzero((count > MOST_TRACES)[of])
    pairs = np.unique(np.stack([key[busy], events.trace[busy]], axis=1), axis=0)
    traces = np.bincount(np.searchsorted(distinct, pairs[:, 0]), minlength=len(distinct))
    apart = (traces > MOST_TRACES)[of]
    return np.where(apart, events.trace, session) if apart.any() else session
