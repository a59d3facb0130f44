"""One metric over time: how unlike its own past each value is, from 0 to 1.

For a single line on a chart (a queue length, a temperature, a KPI) without counts behind it. Two views, each put into
standard deviations by its own slow, winsorised moments: how far the value lies from the usual value of its half hour
of the day; and whether the errors of a prediction from the last eight values (recursive least squares, errors
clipped) have been large ten times in a row. The score is the normal tail of their mean on a logarithmic scale. After
a peak only a higher one counts for a while, because an alert wants the beginning of an anomaly and not each of its
rows.

References: recursive least squares, Ljung and Soderstrom, "Theory and practice of recursive identification", 1983;
the benchmark that it is held against, Lavin and Ahmad, "Evaluating real-time anomaly detection algorithms", 2015.
"""

import math
from typing import Any, Final

import numpy as np
from river import base

from detectors.base import Floats, State
from detectors.columns import check_version, check_whole

VERSION: Final = 1
ORDER: Final = 8
RUN: Final = 10
REST: Final = 200
BEGINNING: Final = 50
"""Values from which the scale of the prediction is taken; until then nothing is odd."""

HALF_HOURS: Final = 48
SEEN: Final = 4
"""Values of a half hour before its usual value is held against a new one."""

HALF_LIFE: Final = 20_000.0
WINSORISED: Final = 8.0
FORGETTING: Final = 0.9995
DECADES: Final = 30.0
"""A tail probability of 10^-30 is a score of 1."""

_SLOWEST: Final = 0.05


class _Moments:
    """Mean and variance of the past, in which values beyond `WINSORISED` deviations count as if they lay there."""

    def __init__(self) -> None:
        self.state = np.zeros(3)  # count, mean, variance

    def standardised(self, value: float) -> float:
        count, mean, variance = self.state.tolist()
        return (value - mean) / (math.sqrt(variance) + 1e-9) if count >= BEGINNING else 0.0

    def learn(self, value: float) -> None:
        count, mean, variance = self.state.tolist()
        if count >= BEGINNING:
            reach = WINSORISED * (math.sqrt(variance) + 1e-9)
            value = min(max(value, mean - reach), mean + reach)
        step = max(1 - 0.5 ** (1 / HALF_LIFE), 1 / (count + 1))
        away = value - mean
        self.state[:] = count + 1, mean + step * away, (1 - step) * (variance + step * away * away)


class _Prediction:
    """The next value from the last `ORDER`, by recursive least squares."""

    def __init__(self) -> None:
        self.weights: Floats = np.zeros(ORDER + 1)
        self.weights[0] = 0.5
        self.inverse: Floats = np.eye(ORDER + 1)
        self.last: Floats = np.zeros(ORDER)
        self.errors: Floats = np.zeros(2)  # count of values, mean square of the errors

    def error(self, value: float) -> float:
        if self.errors[0] < ORDER:
            return 0.0
        return value - float(self.weights @ self._input())

    def _input(self) -> Floats:
        return np.append(np.clip(self.last, -50, 50), 1.0)

    def learn(self, value: float) -> None:
        if self.errors[0] >= ORDER:
            h, error = self._input(), self.error(value)
            reach = 4 * math.sqrt(self.errors[1]) + 1e-9 if self.errors[0] > 4 * ORDER else math.inf
            step = max(1e-3, 1 / (self.errors[0] - ORDER + 1))
            self.errors[1] += step * (error * error - self.errors[1])
            along = self.inverse @ h
            gain = along / (FORGETTING + h @ along)
            self.weights += gain * min(max(error, -reach), reach)
            self.inverse = (self.inverse - np.outer(gain, along)) / FORGETTING
            if self.inverse[0, 0] > 1e6:
                self.inverse = np.eye(ORDER + 1)
        self.last = np.append(value, self.last[:-1])
        self.errors[0] += 1


class MetricScorer:
    """The anomaly score of one metric.

    Parameters
    ----------
    rest
        Values after a peak during which only a higher score counts.

    Examples
    --------
    >>> scorer, rng = MetricScorer(), np.random.default_rng(1)
    >>> usual = [scorer.update(300.0 * step, value) for step, value in enumerate(rng.normal(10, 1, 2000))]
    >>> max(usual[500:]) < 0.2 < scorer.update(600_000.0, 25.0)
    True
    """

    def __init__(self, rest: int = REST) -> None:
        if rest < 0:
            raise ValueError(f"a rest of {rest} values must not be negative")
        self.rest = rest
        self._season: Floats = np.zeros((HALF_HOURS, 2))  # usual value and count
        self._scale: Floats = np.zeros(3)  # count, mean and mean square of the beginning
        self._prediction = _Prediction()
        self._moments: Final = tuple(_Moments() for _ in range(3))  # of residuals, of errors, of runs
        self._run: Floats = np.zeros(RUN + 1)  # the latest deviations of errors, and how many there are
        self._peak: Floats = np.zeros(2)  # the latest peak, and for how long it holds others down

    def update(self, seconds: float, value: float) -> float:
        """Score a value, then learn it.

        Parameters
        ----------
        seconds
            Its time since the Unix epoch, which gives the half hour of the day (UTC).
        value
            The value, finite.

        Raises
        ------
        ValueError
            Where a number is not finite.
        """
        score, raw = self._scores(seconds, value)
        self._learn(seconds, value, raw)
        return score

    def score(self, seconds: float, value: float) -> float:
        """Return how odd a value would be, without learning it; parameters and errors as of `update`."""
        return self._scores(seconds, value)[0]

    def _scores(self, seconds: float, value: float) -> tuple[float, float]:
        """Return the score that counts, and the one before the rest."""
        if not (math.isfinite(seconds) and math.isfinite(value)):
            raise ValueError("a value and its time must be finite; leave a missing value out")
        residuals, errors, runs = self._moments
        away = abs(residuals.standardised(self._residual(seconds, value)))
        deviation = abs(errors.standardised(self._prediction.error(self._scaled(value))))
        run = max(runs.standardised(self._mean_run(deviation)), 0.0)
        raw = _tail((away + run) / 2)
        held = self._peak[1] > 0 and raw <= self._peak[0]
        return (0.0 if held else raw), raw

    def _residual(self, seconds: float, value: float) -> float:
        usual, count = self._season[self._half_hour(seconds)]
        return value - float(usual) if count >= SEEN else 0.0

    @staticmethod
    def _half_hour(seconds: float) -> int:
        return int(seconds // 1_800) % HALF_HOURS

    def _scaled(self, value: float) -> float:
        count, mean, square = self._scale.tolist()
        if count < BEGINNING:
            return 0.0
        return (value - mean) / (math.sqrt(max(square - mean * mean, 0.0)) + 1e-6 * (abs(mean) + 1))

    def _mean_run(self, deviation: float) -> float:
        count = int(self._run[-1])
        return (float(self._run[: min(count, RUN - 1)].sum()) + min(deviation, WINSORISED)) / min(count + 1, RUN)

    def _learn(self, seconds: float, value: float, raw: float) -> None:
        residuals, errors, runs = self._moments
        residuals.learn(self._residual(seconds, value))
        cell = self._season[self._half_hour(seconds)]
        cell[0] += max(_SLOWEST, 1 / (cell[1] + 1)) * (value - cell[0])
        cell[1] += 1
        if self._scale[0] < BEGINNING:
            self._scale[1:] += (np.array([value, value * value]) - self._scale[1:]) / (self._scale[0] + 1)
            self._scale[0] += 1
        else:
            scaled = self._scaled(value)
            error = self._prediction.error(scaled)
            deviation = min(abs(errors.standardised(error)), WINSORISED)
            runs.learn(self._mean_run(deviation))
            self._run[1:RUN] = self._run[: RUN - 1]
            self._run[0], self._run[-1] = deviation, self._run[-1] + 1
            errors.learn(error)
            self._prediction.learn(scaled)
        held = self._peak[1] > 0 and raw <= self._peak[0]
        self._peak[:] = (self._peak[0], self._peak[1] - 1) if held or raw <= 0 else (raw, self.rest)

    def _arrays(self) -> dict[str, Floats]:
        return {
            "season": self._season,
            "scale": self._scale,
            "weights": self._prediction.weights,
            "inverse": self._prediction.inverse,
            "last": self._prediction.last,
            "errors": self._prediction.errors,
            "run": self._run,
            "peak": self._peak,
            **{f"moments_{index}": moments.state for index, moments in enumerate(self._moments)},
        }

    def state(self) -> State:
        """Return everything as flat arrays, with a version."""
        copies = {name: array.copy() for name, array in self._arrays().items()}
        return {"version": np.array([VERSION]), "rest": np.array([self.rest]), **copies}

    def restore(self, state: State) -> None:
        """Take over what `state` returned.

        Raises
        ------
        StateError
            Where the state is of another version, or not whole.
        """
        check_version(state, VERSION, "metric scorer")
        check_whole(state, self.state(), "metric scorer")
        self.rest = int(state["rest"][0])
        for name, array in self._arrays().items():
            array[...] = state[name]


class MetricAnomalyDetector(base.SupervisedAnomalyDetector):
    """`MetricScorer` behind River's own interface, one value each `period` seconds.

    Parameters
    ----------
    period
        Seconds from one value to the next.

    Examples
    --------
    >>> detector, rng = MetricAnomalyDetector(), np.random.default_rng(1)
    >>> for value in rng.normal(10, 1, 1000).tolist():
    ...     detector.learn_one({}, value)
    >>> detector.score_one({}, 10.0) < 0.2 < detector.score_one({}, 25.0)
    True
    """

    def __init__(self, period: float = 300.0) -> None:
        self.period = period
        self._scorer = MetricScorer()
        self._learned = 0

    @classmethod
    def _unit_test_params(cls) -> Any:
        yield {"period": 60.0}

    def score_one(self, x: dict[str, float], y: float) -> float:
        """Return how odd a value is, 0 to 1."""
        return self._scorer.score(self._learned * self.period, y)

    def learn_one(self, x: dict[str, float], y: float) -> None:
        """Learn a value."""
        self._scorer.update(self._learned * self.period, y)
        self._learned += 1


def _tail(deviations: float) -> float:
    """Return the two-sided normal tail on a scale from 0 to 1."""
    tail = max(math.erfc(abs(deviations) / math.sqrt(2)), 1e-30)
    return min(1.0, -math.log10(tail) / DECADES)
