"""Flags whose trials were counted before: a verdict that came after the tick of the event that it judged was closed.

Such a flag takes the place of an unflagged trial that follows in its series, so that in the end there are as many
trials and flags as there were events and flagged ones, and never more flags than trials.
"""

from typing import Final

import numpy as np

from detectors.base import Floats, Ints
from streams.kafka.checkpoints import Arrays

MOST: Final = 1_000
"""Flags of one series that wait; where more come than trials, trials are what is missing."""


class Owed:
    """The flags that wait for a trial, by series."""

    def __init__(self) -> None:
        self._flags: dict[int, int] = {}

    def settle(self, rows: Ints, trials: Floats, flagged: Floats) -> None:
        """Give cells, in the order of their ticks, the flags that their trials can hold; the others wait."""
        over = flagged > trials
        if not self._flags and not over.any():
            return
        series = np.array([*self._flags, *rows[over].tolist()], np.int64)
        for at in np.flatnonzero(np.isin(rows, series)).tolist():
            row, tried = int(rows[at]), int(trials[at])
            flags = int(flagged[at]) + self._flags.pop(row, 0)
            flagged[at] = held = min(flags, tried)
            if flags > held:
                self._flags[row] = min(flags - held, MOST)

    def state(self) -> Arrays:
        """Return the state as flat arrays."""
        return {"flags": np.array(sorted(self._flags.items()), np.int64).reshape(-1, 2)}

    def restore(self, state: Arrays) -> None:
        """Take over what `state` returned; without one, begin anew."""
        self._flags = {int(row): int(flags) for row, flags in state["flags"]} if state else {}
