"""The bets on a changed rate: likelihood ratios of a few multiples of its bound, and their Shiryaev-Roberts sums.

For n trials, k of them flagged, a ceiling p0 and a multiplier m::

    p1 = min(m p0, 1/2 + p0/2)      L = (p1/p0)^k ((1-p1)/(1-p0))^(n-k)      M <- (s + M) L

For a rise (m > 1, p0 a ceiling) L grows with the conditional rate and has mean 1 where that rate is p0, so E[L | past]
<= 1 while it is at most p0. For a fall (m < 1, p0 a floor) L shrinks with the rate, so the same holds while it is at
least p0.

**Two ceilings.** Where the rate r lies above its ceiling, log L of a rare rate still falls on average while
r / p0 < (m - 1) / log m: up to 1.12 for m = 1.25, but 1.8 for m = 3 and 3.9 for m = 10. So a ceiling that turns out too
low makes the small bets alarm, and hardly the large ones. The former are held against what a rate may be with 95 per
cent confidence; for the latter (`LARGE`) 90 will do, which tells of failures and of rare rates sooner.
"""

from typing import Final, Literal

import numpy as np

from detectors.base import Floats

Direction = Literal["up", "down"]

MULTIPLIERS: Final = np.array([1.25, 1.5, 2.0, 3.0, 5.0, 10.0, np.inf])
"""The last one bets that half of all fails, whatever was normal: two or three in a row prove that of a rare rate."""

FALLS: Final = np.array([0.8, 0.67, 0.5, 0.33, 0.2, 0.02, 0.1])
"""As many as there are rises, the smallest changes first."""

STAKES: Final = np.array([0.9 * 7 / 6] * 6 + [0.1 * 7])
"""What each bet begins with, of mean 1: the last one takes a tenth from the others, and hardly delays them."""

LARGE: Final = MULTIPLIERS >= 3
"""Bets on large changes, which are held against a nearer ceiling (see above)."""

_MOST: Final = 1e300
"""Evidence stops here: the mean of so few such numbers is still a float."""


def log_likelihood_ratios(
    trials: Floats, flagged: Floats, bound: Floats, direction: Direction = "up", near: Floats | None = None
) -> Floats:
    """Return log L of each series against each multiple of its bound, shape (series, multipliers).

    Parameters
    ----------
    trials, flagged
        Sums of a tick, shape (series,).
    bound
        p0 of each series, above 0 and below 1: its ceiling, or its floor for falls.
    near
        p0 of the bets on large changes; without it the same.
    direction
        Which changes to bet on.

    >>> log_likelihood_ratios(np.array([10.0]), np.array([1.0]), np.array([0.1])).round(3).tolist()
    [[-0.03, -0.109, -0.367, -1.163, -3.681, -4.534, -4.534]]
    """
    p0 = np.where(LARGE, (bound if near is None else near)[:, None], bound[:, None])
    p1 = np.minimum(p0 * (MULTIPLIERS if direction == "up" else FALLS), 0.5 + p0 / 2)
    ratios: Floats = flagged[:, None] * np.log(p1 / p0)
    ratios += (trials - flagged)[:, None] * (np.log1p(-p1) - np.log1p(-p0))
    return ratios


def shiryaev_roberts(evidence: Floats, log_ratios: Floats, stakes: Floats | float = 1.0) -> Floats:
    """Return M of each series and multiplier after one more tick with data, for stakes of mean 1.

    The mean of the M over the multipliers minus the number of such ticks is a supermartingale (Shin, Ramdas and
    Rinaldo, "E-detectors", New England Journal of Statistics in Data Science 2023, section 3).
    """
    with np.errstate(over="ignore", under="ignore"):
        following: Floats = np.minimum((stakes + evidence) * np.exp(log_ratios), _MOST)
    return following
