"""One odd event: how unlike the others of its context it is.

Two views of each event, from what was learned before it. The *Mahalanobis distance* to the exponentially weighted
mean and covariance sees combinations that do not occur (a short answer that took long); as -log of its chi-square
tail it grows with rarity. The *tail surprisal* of its rarest feature, from a histogram of standardised values, sees
values that do not occur, whatever the shape of the distribution. The score is the distance and twice the surprisal:
a histogram of n events cannot tell more than log n, while the distance of a heavy tail is easily far more.

Everything is scored before anything of the call is learned, so a call is a unit: results depend on how the events
were cut into calls. What is learned is clipped, so that one odd event does not make the next one usual. A feature
that an event does not have (NaN) is left out on both sides. Leave 0/1 features to the rate detectors: a one-per-cent
flag dominates any covariance.

References: Mahalanobis, "On the generalised distance in statistics", 1936; Hotelling's T2 chart with exponential
weights: Lowry, Woodall, Champ and Rigdon, Technometrics 1992.
"""

from typing import ClassVar, Final

import numpy as np
from scipy.special import gammaincc

from detectors.base import Floats, Ints, State
from detectors.columns import Columns, check_version

VERSION: Final = 1
HALF_LIFE_EVENTS: Final = 5_000.0
NEEDED: Final = 200.0
"""Events of a context before its scores are more than 0."""

CLIPPED: Final = 5.0
"""Standard deviations beyond which a value is learned as if it lay there."""

BINS: Final = 64
REACH: Final = 8.0
"""The histogram covers so many standard deviations to both sides."""

RAREST: Final = 2.0
"""Weight of the surprisal of the rarest feature beside the distance."""

_RIDGE: Final = 1e-3
_PSEUDO: Final = 0.05
_FARTHEST: Final = 900.0


class _Contexts(Columns):
    COLUMNS: ClassVar = ("mean", "covariance", "pairs", "histogram")

    def __init__(self, features: int) -> None:
        self.mean: Floats = np.empty((0, features))
        self.covariance: Floats = np.empty((0, features, features))
        self.pairs: Floats = np.empty((0, features, features))  # events that had both features, fading
        self.histogram: Floats = np.empty((0, features, BINS))


class OddEvents:
    """Scores of single events, each against the others of its context.

    Parameters
    ----------
    features
        How many features an event has; on a scale on which they scatter evenly, as logarithms or logits.

    Notes
    -----
    A context takes 8 (2 d^2 + 65 d) bytes: 5.2 kB for eight features. Nothing grows with events.

    Examples
    --------
    >>> odd, rng = OddEvents(features=2), np.random.default_rng(1)
    >>> odd.grow(1)
    >>> for _ in range(20):
    ...     first = rng.normal(0, 1, 100)
    ...     odd.learn(np.zeros(100, int), np.column_stack([first, first + rng.normal(0, 0.1, 100)]))
    >>> odd.score(np.array([0, 0]), np.array([[1.5, 1.5], [1.5, -1.5]])).round() > 20
    array([False,  True])
    """

    def __init__(self, features: int) -> None:
        if features < 1:
            raise ValueError(f"an event must have at least 1 feature, not {features}")
        self.features: Final = features
        self._contexts: Final = _Contexts(features)

    def __len__(self) -> int:
        return len(self._contexts)

    def grow(self, count: int) -> None:
        """Add contexts."""
        self._contexts.extend(count)

    def score(self, context: Ints, features: Floats) -> Floats:
        """Return how odd each event is, in nats; 0 while its context is not known well.

        Parameters
        ----------
        context
            The context of each event, shape (n,).
        features
            Their features, shape (n, d); NaN where an event has none.

        Raises
        ------
        ValueError
            Where shapes differ, a context is not known, or a feature is infinite.
        """
        rows, values = self._checked(context, features)
        scores = np.zeros(len(rows))
        for row in np.unique(rows).tolist():
            if self._contexts.pairs[row].max() >= NEEDED:
                of = np.flatnonzero(rows == row)
                rarest = self._surprisal(row, values[of]).max(axis=1)
                scores[of] = self._distance(row, values[of]) + RAREST * rarest
        return scores

    def explain(self, context: Ints, features: Floats) -> Floats:
        """Return the surprisal of each feature of each event, in nats, shape (n, d); 0 where an event has none."""
        rows, values = self._checked(context, features)
        found = np.zeros(values.shape)
        for row in np.unique(rows).tolist():
            of = np.flatnonzero(rows == row)
            found[of] = self._surprisal(row, values[of])
        return found

    def standardised(self, context: Ints, features: Floats) -> Floats:
        """Return features in standard deviations of their context, clipped to `REACH`; 0 where an event has none."""
        rows, values = self._checked(context, features)
        z = (values - self._contexts.mean[rows]) / self._deviation(rows)
        clipped: Floats = np.clip(np.nan_to_num(z), -REACH, REACH)
        return clipped

    def learn(self, context: Ints, features: Floats) -> None:
        """Learn events; the parameters are those of `score`."""
        rows, values = self._checked(context, features)
        for row in np.unique(rows).tolist():
            self._learn(row, values[rows == row])

    def _distance(self, row: int, values: Floats) -> Floats:
        """Return -log of the chi-square tail of each squared distance."""
        covariance = self._contexts.covariance[row]
        variance = np.maximum(np.diag(covariance), 1e-12)
        steady = covariance * (1 - _RIDGE) + np.diag(_RIDGE * variance + 1e-12)
        away = np.nan_to_num(values - self._contexts.mean[row])
        squared = np.einsum("ij,jk,ik->i", away, np.linalg.inv(steady), away)
        known = np.maximum((~np.isnan(values)).sum(axis=1), 1)
        tail: Floats = -np.log(np.maximum(gammaincc(known / 2, np.clip(squared, 0, _FARTHEST) / 2), 1e-300))
        return tail

    def _surprisal(self, row: int, values: Floats) -> Floats:
        """Return -log of the two-sided tail of each feature, from its histogram."""
        histogram = self._contexts.histogram[row] + _PSEUDO
        at, known = self._bins(row, values), ~np.isnan(values)
        total = histogram.sum(axis=1)
        below = np.cumsum(histogram, axis=1)
        which = np.arange(self.features)[None]
        lower = (below[which, at] - histogram[which, at] / 2) / total
        rarity: Floats = -np.log(np.maximum(2 * np.minimum(lower, 1 - lower), 1e-12))
        return np.where(known, np.maximum(rarity, 0), 0.0)

    def _bins(self, row: int, values: Floats) -> Ints:
        z = (values - self._contexts.mean[row]) / self._deviation(np.array([row]))
        bins: Ints = np.clip((np.nan_to_num(z) + REACH) * (BINS / 2 / REACH), 0, BINS - 1).astype(np.int64)
        return bins

    def _deviation(self, rows: Ints) -> Floats:
        variance = np.diagonal(self._contexts.covariance[rows], axis1=1, axis2=2)
        deviation: Floats = np.sqrt(np.maximum(variance, 1e-12))
        return deviation

    def _learn(self, row: int, values: Floats) -> None:
        contexts = self._contexts
        known = (~np.isnan(values)).astype(np.float64)
        seen = np.diag(contexts.pairs[row])
        deviation = self._deviation(np.array([row]))[0]
        away = np.nan_to_num(values - contexts.mean[row])
        limit = np.where(seen >= NEEDED, CLIPPED * deviation, np.inf)
        away = np.clip(away, -limit, limit)
        pairs = known.T @ known
        fade = 0.5 ** (pairs / HALF_LIFE_EVENTS)
        weight = pairs / np.maximum(contexts.pairs[row] * fade + pairs, 1e-12)
        shift = away.sum(axis=0) / np.maximum(np.diag(pairs), 1)
        products = away.T @ away / np.maximum(pairs, 1)
        old, moved = contexts.covariance[row], weight**2 * np.outer(shift, shift)
        contexts.covariance[row] = (1 - weight) * old + weight * products - moved
        contexts.mean[row] += np.diag(weight) * shift
        contexts.pairs[row] = contexts.pairs[row] * fade + pairs
        contexts.histogram[row] *= np.diag(fade)[:, None]
        settled = np.flatnonzero(seen >= NEEDED / 4)
        at = self._bins(row, values)
        for feature in settled.tolist():
            of = known[:, feature] > 0
            contexts.histogram[row, feature] += np.bincount(at[of, feature], minlength=BINS)

    def _checked(self, context: Ints, features: Floats) -> tuple[Ints, Floats]:
        rows, values = np.asarray(context), np.asarray(features, np.float64)
        if rows.ndim != 1 or values.shape != (len(rows), self.features):
            raise ValueError(f"features must have shape ({rows.size}, {self.features}), not {values.shape}")
        if len(rows) and (rows.dtype.kind not in "iu" or rows.min() < 0 or rows.max() >= len(self)):
            raise ValueError(f"contexts must be whole numbers below {len(self)}; call grow() for new ones")
        if np.isinf(values).any():
            raise ValueError("features must be finite; NaN says that an event does not have one")
        return rows.astype(np.int64), values

    def state(self) -> State:
        """Return everything as flat arrays, with a version."""
        return {"version": np.array([VERSION]), **self._contexts.columns()}

    def restore(self, state: State) -> None:
        """Take over what `state` returned.

        Raises
        ------
        StateError
            Where the state is of another version or number of features, or not whole. Nothing is changed then.
        """
        check_version(state, VERSION, "odd event")
        self._contexts.restore(state)
