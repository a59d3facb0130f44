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

from typing import ClassVar, Final, NamedTuple

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
_AT_ONCE: Final = 100_000
"""Numbers for which there is room in one sum: as quick as it gets for a minute, and no more for a day at once."""


class _Contexts(Columns):
    COLUMNS: ClassVar = ("mean", "covariance", "pairs", "histogram")

    def __init__(self, features: int) -> None:
        self.mean: Floats = np.empty((0, features))
        self.covariance: Floats = np.empty((0, features, features))
        self.pairs: Floats = np.empty((0, features, features))  # events that had both features, fading
        self.histogram: Floats = np.empty((0, features, BINS))


class _Group(NamedTuple):
    """Contexts of some events in their order, which of these each event has, and its context."""

    contexts: Ints
    of: Ints
    rows: Ints


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
        contexts, of = np.unique(rows, return_inverse=True)
        known = self._contexts.pairs[contexts].max(axis=(1, 2)) >= NEEDED
        at = np.flatnonzero(known[of])
        if len(at):
            group = _Group(contexts[known], (np.cumsum(known) - 1)[of[at]], rows[at])
            rarest = self._surprisal(group, values[at]).max(axis=1)
            scores[at] = self._distance(group, values[at]) + RAREST * rarest
        return scores

    def explain(self, context: Ints, features: Floats) -> Floats:
        """Return the surprisal of each feature of each event, in nats, shape (n, d); 0 where an event has none."""
        rows, values = self._checked(context, features)
        return self._surprisal(_Group(*np.unique(rows, return_inverse=True), rows), values)

    def standardised(self, context: Ints, features: Floats) -> Floats:
        """Return features in standard deviations of their context, clipped to `REACH`; 0 where an event has none."""
        rows, values = self._checked(context, features)
        z = (values - self._contexts.mean[rows]) / self._deviation(rows)
        clipped: Floats = np.clip(_or_zero(z), -REACH, REACH)
        return clipped

    def learn(self, context: Ints, features: Floats) -> None:
        """Learn events; the parameters are those of `score`."""
        rows, values = self._checked(context, features)
        if len(rows):
            order = np.argsort(rows, kind="stable")
            self._learn(rows[order], values[order])

    def _distance(self, group: "_Group", values: Floats) -> Floats:
        """Return -log of the chi-square tail of each squared distance."""
        contexts, of, rows = group
        steady = self._contexts.covariance[contexts] * (1 - _RIDGE)
        which = np.arange(self.features)
        steady[:, which, which] += _RIDGE * self._deviation(contexts) ** 2 + 1e-12
        inverse = np.linalg.inv(steady)
        away = _or_zero(values - self._contexts.mean[rows])
        squared = np.zeros(len(rows))
        for feature in range(self.features):  # a matrix an event would take ten times the memory
            squared += (away * inverse[:, feature][of]).sum(axis=1) * away[:, feature]
        known = np.maximum((~np.isnan(values)).sum(axis=1), 1)
        tail: Floats = -np.log(np.maximum(gammaincc(known / 2, np.clip(squared, 0, _FARTHEST) / 2), 1e-300))
        return tail

    def _surprisal(self, group: "_Group", values: Floats) -> Floats:
        """Return -log of the two-sided tail of each feature, from its histogram."""
        contexts, of, rows = group
        histogram = self._contexts.histogram[contexts] + _PSEUDO
        below, total = np.cumsum(histogram, axis=2), histogram.sum(axis=2)
        place = of[:, None], np.arange(self.features), self._bins(rows, values)
        lower = (below[place] - histogram[place] / 2) / total[of]
        rarity: Floats = -np.log(np.maximum(2 * np.minimum(lower, 1 - lower), 1e-12))
        return np.where(np.isnan(values), 0.0, np.maximum(rarity, 0))

    def _bins(self, rows: Ints, values: Floats) -> Ints:
        z = (values - self._contexts.mean[rows]) / self._deviation(rows)
        bins: Ints = np.clip((_or_zero(z) + REACH) * (BINS / 2 / REACH), 0, BINS - 1).astype(np.int64)
        return bins

    def _deviation(self, rows: Ints) -> Floats:
        variance = np.diagonal(self._contexts.covariance[rows], axis1=1, axis2=2)
        deviation: Floats = np.sqrt(np.maximum(variance, 1e-12))
        return deviation

    def _learn(self, rows: Ints, values: Floats) -> None:
        """Learn events that lie context by context."""
        own = self._contexts
        contexts, starts, of = np.unique(rows, return_index=True, return_inverse=True)
        known, old = (~np.isnan(values)).astype(np.float64), own.pairs[contexts]
        seen = np.diagonal(old, axis1=1, axis2=2)
        limit = np.where(seen >= NEEDED, CLIPPED * self._deviation(contexts), np.inf)[of]
        away = np.clip(_or_zero(values - own.mean[rows]), -limit, limit)
        pairs = _products(known, starts)
        fade = 0.5 ** (pairs / HALF_LIFE_EVENTS)
        weight = pairs / np.maximum(old * fade + pairs, 1e-12)
        shift = np.add.reduceat(away, starts) / np.maximum(np.diagonal(pairs, axis1=1, axis2=2), 1)
        products = _products(away, starts) / np.maximum(pairs, 1)
        moved = weight**2 * (shift[:, :, None] * shift[:, None, :])
        own.covariance[contexts] = (1 - weight) * own.covariance[contexts] + weight * products - moved
        own.mean[contexts] += np.diagonal(weight, axis1=1, axis2=2) * shift
        own.pairs[contexts] = old * fade + pairs
        own.histogram[contexts] *= np.diagonal(fade, axis1=1, axis2=2)[:, :, None]
        settled = np.diagonal(own.pairs[contexts], axis1=1, axis2=2) >= NEEDED / 4
        event, feature = np.nonzero((known > 0) & settled[of])
        np.add.at(own.histogram, (rows[event], feature, self._bins(rows, values)[event, feature]), 1.0)

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


def _or_zero(values: Floats) -> Floats:
    """Return values, 0 where there is none; `numpy.nan_to_num` takes longer over a minute than all else of it."""
    return np.where(np.isnan(values), 0.0, values)


def _products(values: Floats, starts: Ints) -> Floats:
    """Return the sums of products of each two columns, over the rows from each start to the next."""
    wide = values.shape[1]
    if values.size * wide <= _AT_ONCE:
        products = (values[:, :, None] * values[:, None, :]).reshape(len(values), wide * wide)
        return np.add.reduceat(products, starts).reshape(len(starts), wide, wide)
    columns = (np.add.reduceat(values * values[:, [column]], starts) for column in range(wide))
    return np.stack(list(columns), axis=1)
