"""River's anomaly detectors as second scorers of single events, and our own behind River's interface.

A River object is never stored, because its pickle does not survive a release. What is kept is the rows it has seen
since the beginning of an epoch, from which it is built again; epochs begin anew with the latest half, so that memory
and rebuilding are bounded, and a restored scorer is equal to one that was never interrupted.
"""

from typing import Any, Final

import numpy as np
from river import base

from detectors.base import Floats, Ints, State, StateError
from detectors.columns import check_version
from detectors.events.odd import REACH, OddEvents
from detectors.river.classes import anomaly_class, seeded

VERSION: Final = 1
TREES: Final = "river.anomaly.HalfSpaceTrees"
EPOCH: Final = 1_024
KEPT: Final = 512


class RiverAnomaly:
    """A River anomaly detector for each context.

    Parameters
    ----------
    dotted_name, parameters
        The class, as ``river.anomaly.LODA``, and its keyword arguments.
    features
        How many features an event has, in standard deviations (`OddEvents.standardised`). Half-space trees get
        them on 0 to 1, which is what they expect.
    every
        One event in so many of a context is scored and learned; the others cost nothing and score 0.

    Raises
    ------
    ValueError
        Where there is no such class, or `every` is below 1.
    TypeError
        Where the class does not know a parameter.
    """

    def __init__(
        self, dotted_name: str, features: int, parameters: dict[str, Any] | None = None, every: int = 10
    ) -> None:
        if every < 1:
            raise ValueError(f"one event in {every} must be one in at least 1")
        self.name: Final = dotted_name
        self.every: Final = every
        self._class: Final = anomaly_class(dotted_name)
        self._parameters: Final = seeded(self._class, parameters or {})
        self._names: Final = [f"f{index}" for index in range(features)]
        self._unit: Final = dotted_name == TREES
        self._made()  # a wrong parameter is refused now and not with the first event
        self._detectors: list[Any] = []
        self._rows: list[list[Floats]] = []
        self._passed: list[int] = []

    def __len__(self) -> int:
        return len(self._detectors)

    def grow(self, count: int) -> None:
        """Add contexts."""
        self._detectors += [self._made() for _ in range(count)]
        self._rows += [[] for _ in range(count)]
        self._passed += [0] * count

    def update(self, context: Ints, z: Floats) -> Floats:
        """Score the sampled events, each before it is learned; the others score 0.

        Parameters
        ----------
        context, z
            The context of each event, and its standardised features, shape (n, d), finite.

        Raises
        ------
        ValueError
            Where a context is not known, or a feature is not finite.
        """
        values = np.asarray(z, np.float64)
        if values.shape != (len(context), len(self._names)) or not np.isfinite(values).all():
            raise ValueError(f"features must be finite, {len(self._names)} an event; standardise them first")
        if len(context) and not 0 <= np.min(context) <= np.max(context) < len(self):
            raise ValueError(f"contexts must be below {len(self)}; call grow() for new ones")
        scores = np.zeros(len(values))
        for at, row in enumerate(np.asarray(context).tolist()):
            self._passed[row] = (self._passed[row] + 1) % self.every
            if self._passed[row] == 0:
                scores[at] = self._feed(row, values[at].astype(np.float32).astype(np.float64))
        return scores

    def _feed(self, row: int, values: Floats) -> float:
        event = self._event(values)
        # nothing can be told before an epoch's worth of events, and some classes fail on the very first
        score = float(self._detectors[row].score_one(event)) if len(self._rows[row]) >= KEPT else 0.0
        self._detectors[row].learn_one(event)
        self._rows[row].append(values)
        if len(self._rows[row]) >= EPOCH:
            self._build(row, self._rows[row][-KEPT:])
        return max(score, 0.0) if np.isfinite(score) else 0.0

    def _event(self, values: Floats) -> dict[str, float]:
        placed = (values + REACH) / (2 * REACH) if self._unit else values
        return dict(zip(self._names, placed.tolist(), strict=True))

    def _made(self) -> Any:
        return self._class(**self._parameters)

    def _build(self, row: int, rows: list[Floats]) -> None:
        self._detectors[row], self._rows[row] = self._made(), list(rows)
        for values in rows:
            self._detectors[row].learn_one(self._event(values))

    def state(self) -> State:
        """Return the rows of the epoch of each context."""
        rows = [values for each in self._rows for values in each]
        return {
            "version": np.array([VERSION]),
            "passed": np.array(self._passed, np.int64),
            "lengths": np.array([len(each) for each in self._rows], np.int64),
            "rows": np.array(rows, np.float32).reshape(-1, len(self._names)),
        }

    def restore(self, state: State) -> None:
        """Take over what `state` returned; another class is shown the same rows.

        Raises
        ------
        StateError
            Where the state is of another version or number of features, or not whole.
        """
        check_version(state, VERSION, "River anomaly")
        if not {"passed", "lengths", "rows"} <= state.keys() or state["rows"].shape[1:] != (len(self._names),):
            raise StateError("the stored state of the River anomaly scorer is not whole; start without it")
        self._detectors, self._rows, self._passed = [], [], []
        self.grow(len(state["lengths"]))
        self._passed = state["passed"].tolist()
        ends = np.cumsum(state["lengths"])
        for row, (end, length) in enumerate(zip(ends.tolist(), state["lengths"].tolist(), strict=True)):
            self._build(row, list(state["rows"][end - length : end].astype(np.float64)))


class OddEventDetector(base.AnomalyDetector):
    """`detectors.events.odd.OddEvents` behind River's own interface, one event at a time.

    Parameters
    ----------
    features
        Names of the features; one that an event does not have is left out.

    Examples
    --------
    >>> detector, rng = OddEventDetector(["latency", "tokens"]), np.random.default_rng(1)
    >>> for latency, tokens in rng.normal(0, 1, (500, 2)).tolist():
    ...     detector.learn_one({"latency": latency, "tokens": tokens})
    >>> detector.score_one({"latency": 0.1}) < 5 < detector.score_one({"latency": 9.0, "tokens": 0.0})
    True
    """

    def __init__(self, features: list[str]) -> None:
        self.features = features
        self._odd = OddEvents(len(features))
        self._odd.grow(1)

    @classmethod
    def _unit_test_params(cls) -> Any:
        yield {"features": ["x"]}

    def score_one(self, x: dict[str, float]) -> float:
        """Return how odd an event is, in nats."""
        return float(self._odd.score(np.array([0]), self._row(x))[0])

    def learn_one(self, x: dict[str, float]) -> None:
        """Learn an event."""
        self._odd.learn(np.array([0]), self._row(x))

    def _row(self, x: dict[str, float]) -> Floats:
        return np.array([[x.get(name, np.nan) for name in self.features]])
