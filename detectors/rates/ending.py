"""When a risen rate went back: the end of a harm, which is earlier than the proof that it is over.

Between the onset and the proof there was one rate, then another one. With the counts of each cell of time known, the
likelihood of a change before cell i is that of one binomial rate up to it and of another one from it on; each rate has
Jeffreys' prior and is integrated out, which leaves Beta functions. With each moment as likely as the next before the
counts are seen, that is the posterior of the change (Smith, "A Bayesian approach to inference about a change-point",
Biometrika 1975). Its mode is the estimate, its central 95 per cent the interval. A change that goes the wrong way is
none.
"""

from typing import Final, NamedTuple

import numpy as np
from scipy.special import betaln

from detectors.base import Floats
from detectors.rates.likelihood import Direction

TAIL: Final = 0.025
"""Probability on each side of the interval."""


class Ending(NamedTuple):
    """The cell before which the rate went back: the most likely one, and the first and last that are plausible."""

    at: int
    first: int
    last: int


def ending(trials: Floats, flagged: Floats, lengths: Floats, direction: Direction = "up") -> Ending | None:
    """Return where a rate went back, or None where no change the right way is possible.

    Parameters
    ----------
    trials, flagged
        Sums of each cell of time, in its order, from the onset to the proof that the rate is back.
    lengths
        How long each cell is with the time until the next one: a change is as likely in each part of it.
    direction
        Where the rate had gone.

    >>> counts = np.full(20, 50.0), np.where(np.arange(20) < 12, 10.0, 0.0)
    >>> ending(*counts, np.ones(20))
    Ending(at=12, first=12, last=12)
    """
    n, k = np.cumsum(trials)[:-1], np.cumsum(flagged)[:-1]
    later_n, later_k = trials.sum() - n, flagged.sum() - k
    fell = k * later_n > later_k * n if direction == "up" else k * later_n < later_k * n
    possible = fell & (n > 0) & (later_n > 0)
    if not possible.any():
        return None
    likelihood = betaln(k + 0.5, n - k + 0.5) + betaln(later_k + 0.5, later_n - later_k + 0.5)
    weight = np.where(possible, likelihood + np.log(lengths[:-1]), -np.inf)
    posterior = np.exp(weight - weight.max())
    upto = np.cumsum(posterior) / posterior.sum()
    first, last = np.searchsorted(upto, (TAIL, 1 - TAIL))
    return Ending(int(weight.argmax()) + 1, int(first) + 1, int(last) + 1)
