"""One event of each run of so many of a kind, at a place in it that a hash says.

Where each event is drawn by itself, how many are drawn of a kind is a matter of chance, and so is how many events a
label is said to stand for: with twenty labels it is off by a fifth. With one of each run it is off by what is left of
the last run (one unit a stratum: Cochran, "Sampling Techniques", 3rd ed. 1977, chapter 8).
"""

from itertools import islice
from typing import Final

import numpy as np

from detectors.base import Floats
from streams.events.hashing import mixed
from streams.kafka.checkpoints import Arrays
from streams.watch.batches import Int64s, UInt64s

MOST_KINDS: Final = 100_000
"""Runs that are remembered; of more kinds those met first begin anew, as where a source has ever new names."""
_SALT_BITS: Final = np.uint64(32)


class Runs:
    """How far the run of each kind has come, in one period.

    >>> runs, kind = Runs(), np.zeros(5, np.uint64)
    >>> drawn, propensity = runs.chosen(kind, np.full(5, 0.4))  # a run of three and one of two
    >>> int(drawn.sum()), (1 / propensity).tolist()
    (2, [3.0, 3.0, 3.0, 2.0, 2.0])
    """

    def __init__(self) -> None:
        self._period = 0
        self._met: dict[int, int] = {}

    def renew(self) -> None:
        """Begin a period: all runs begin anew, and what was met in the last one is forgotten."""
        self._period += 1
        self._met.clear()

    def chosen(self, kinds: UInt64s, shares: Floats) -> "tuple[np.ndarray[tuple[int], np.dtype[np.bool_]], Floats]":
        """Return of events in log order which are chosen, and with what probability: one over the length of the run.

        Parameters
        ----------
        kinds
            Of which kind each is, as a hash.
        shares
            How many of its kind are to be chosen, above 0 and at most 1; the same for all of one kind until `renew`.
        """
        names, kind = np.unique(kinds, return_inverse=True)
        counts = np.bincount(kind, minlength=len(names))
        begun = np.array([self._met.get(name, 0) for name in names.tolist()], np.int64)
        self._met.update(zip(names.tolist(), (begun + counts).tolist(), strict=True))
        for name in [*islice(self._met, max(0, len(self._met) - MOST_KINDS))]:
            del self._met[name]
        order = np.argsort(kind, kind="stable")
        place = np.empty(len(kind), np.int64)
        place[order] = np.arange(len(kind)) - np.repeat(np.cumsum(counts) - counts - begun, counts)
        run = np.floor(place * shares).astype(np.int64)
        first = _first(run, shares)
        length = _first(run + 1, shares) - first
        salt = run.astype(np.uint64) + (np.uint64(self._period) << _SALT_BITS)
        return place - first == (mixed(kinds, salt) % length.astype(np.uint64)).astype(np.int64), 1 / length

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {
            "period": np.array([self._period], np.int64),
            "kinds": np.array(list(self._met), np.uint64),
            "met": np.array(list(self._met.values()), np.int64),
        }

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned."""
        self._period = int(state["period"][0])
        self._met = dict(zip(state["kinds"].tolist(), state["met"].tolist(), strict=True))


def _first(run: Int64s, shares: Floats) -> Int64s:
    """Return the first place of each run: the least whose product with the share is as large, as floats have it."""
    place = np.ceil(run / shares)
    place -= np.floor((place - 1) * shares) >= run
    place += np.floor(place * shares) < run
    return place.astype(np.int64)
