"""How rates spread over a fleet, and what prior follows for one more series of it.

The rates of a fleet are held to come from a Gamma distribution, and the counts of each series given its rate from a
Poisson distribution, so that counts are negative binomial (empirical Bayes: Robbins, "An empirical Bayes approach to
statistics", Berkeley Symposium 1956; Gamma and Poisson: Clayton and Kaldor, "Empirical Bayes estimates of
age-standardized relative risks", Biometrics 1987). Shape and mean are found by maximum likelihood over a grid. Few
series say little about their spread, so the widest one is taken that is not refuted at 90 per cent (likelihood ratio,
Wilks 1938).
"""

from typing import Final, NamedTuple

import numpy as np
from scipy.special import betainc, gammaincinv, gammaln

from detectors.base import Bools, Floats

LEAST_MEMBERS: Final = 8
"""Fewer series are no fleet: nothing could be said about their spread."""

REFUTED: Final = 1.35
"""Half of the 90 per cent quantile of chi-squared with one degree of freedom."""

CONFIDENCE: Final = 0.95
MOST_EVENTS: Final = 3.0
"""However much alike series are, the fleet speaks for no more events than a parent does."""

_MIDDLE: Final = 0.5
_NOTHING: Final = 1e-9
_SHAPES: Final = np.geomspace(0.1, 30, 18)
_MEANS: Final = 60


class Prior(NamedTuple):
    """A Gamma distribution of rates: pseudo events, at least 1, and the rate they come at."""

    events: float
    rate: float


def fitted(trials: Floats, flagged: Floats) -> Prior | None:
    """Return the prior that the counts of a fleet speak for, or None where they are too few.

    A spread wider than that of an exponential distribution is told as the exponential with the same 95 per cent
    quantile: so no ceiling is lower than the spread allows.

    Parameters
    ----------
    trials, flagged
        Counts of each series; flagged events may be fractions of faded ones.

    >>> fitted(np.full(40, 1000.0), np.tile([1.0, 2, 3, 4], 10))
    Prior(events=3.0, rate=0.0025)
    >>> fitted(np.full(4, 1000.0), np.ones(4)) is None
    True
    """
    some = trials > 0
    n, k = trials[some], flagged[some]
    if len(n) < LEAST_MEMBERS or k.sum() < LEAST_MEMBERS:
        return None
    pooled = k.sum() / n.sum()
    means = np.append(np.geomspace(((k + 0.5) / (n + 1)).min(), ((k + 0.5) / (n + 1)).max(), _MEANS), pooled)
    heights = np.array([_likelihoods(n, k, shape, means) for shape in _SHAPES])
    best = heights.max(axis=1)
    widest = int(np.flatnonzero(best >= best.max() - REFUTED)[0])
    shape, mean = float(_SHAPES[widest]), float(means[heights[widest].argmax()])
    if shape >= 1:
        return Prior(min(shape, MOST_EVENTS), mean)
    return Prior(1.0, mean / shape * float(gammaincinv(shape, CONFIDENCE) / gammaincinv(1.0, CONFIDENCE)))


def above(prior: Prior, trials: Floats, flagged: Floats) -> Bools:
    """Tell which series show more than the middle of their fleet would: their own counts are better heard alone.

    The counts of a series whose rate comes from the prior are negative binomial (prior predictive check: Box, JRSS A
    1980). A fleet that pulls down those of its upper half makes false alarms of them, and finds nothing sooner: who
    waits for the fleet is who has shown next to nothing.

    >>> above(Prior(2.0, 0.001), np.full(4, 400.0), np.array([0.0, 0.2, 1.0, 3.0])).tolist()
    [False, False, True, True]
    """
    more = betainc(np.maximum(flagged, _NOTHING), prior.events, trials / (trials + prior.events / prior.rate))
    found: Bools = (more < _MIDDLE) & (flagged > 0)
    return found


def _likelihoods(n: Floats, k: Floats, shape: float, means: Floats) -> Floats:
    """Return the logarithm of the likelihood of a shape with each mean."""
    rate = shape / means[:, None]
    found: Floats = (shape * np.log(rate) - (shape + k) * np.log(rate + n)).sum(axis=1)
    return found + float((gammaln(k + shape) - gammaln(shape)).sum())
