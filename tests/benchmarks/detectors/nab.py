"""The Numenta Anomaly Benchmark: our single-metric scorer beside River's, scored as the benchmark describes it.

    python -m tests.benchmarks.detectors.nab PATH      # nab.tar.xz, or the folder it unpacks to

Each labelled window pays once, by its earliest detection: a sigmoid of the position in the window. A detection outside
costs up to the profile's weight, less just after a window. The first 15 per cent of a file (at most 750 rows) do not
count. One threshold serves the whole corpus, the one that scores best; 0 is a detector that says nothing, 100 a
perfect one. (Lavin and Ahmad, "Evaluating real-time anomaly detection algorithms", 2015, and the profiles' file.)
"""

import csv
import io
import json
import sys
import tarfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
from river import anomaly

from tests.support.detectors.metric import MetricScorer

PROFILES = {"standard": (1.0, 1.0, 0.11), "low FP": (1.0, 1.0, 0.22), "low FN": (1.0, 2.0, 0.11)}
"""Weights of a window found, a window missed, a detection outside."""

PROBATION, PROBATION_ROWS = 0.15, 5_000
SHIPPED = {"HTM": 70.1, "relative entropy": 54.6, "windowed Gaussian": 39.6}
"""What the benchmark's own table gives for others (standard profile)."""


class Series(NamedTuple):
    """One labelled file: times in seconds, values, and windows as first and last row."""

    seconds: np.ndarray
    values: np.ndarray
    windows: list[tuple[int, int]]


def load(path: Path) -> dict[str, Series]:
    """Return the labelled series of an archive or a folder."""
    texts = dict(_texts(path))
    windows = json.loads(next(text for name, text in texts.items() if name.endswith("combined_windows.json")))
    found = {}
    for name in sorted(windows):
        text = next(text for own, text in texts.items() if own.endswith("data/" + name))
        rows = list(csv.reader(io.StringIO(text)))[1:]
        seconds = np.array([_seconds(row[0]) for row in rows])
        limits = [
            (int(np.searchsorted(seconds, _seconds(a))), int(np.searchsorted(seconds, _seconds(b), "right")) - 1)
            for a, b in windows[name]
        ]
        found[name] = Series(seconds, np.array([float(row[1]) for row in rows]), limits)
    return found


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    if path.is_dir():
        for file in path.rglob("*"):
            if file.suffix in (".csv", ".json"):
                yield str(file), file.read_text()
        return
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile() and member.name.endswith((".csv", ".json")):
                content = archive.extractfile(member)
                assert content is not None
                yield member.name, content.read().decode()


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def sigmoid(position):
    """Return what a detection is worth: 1 at the left end of a window, 0 at its right end, to -1 far behind it."""
    return np.where(position > 3, -1.0, 2 / (1 + np.exp(5 * np.minimum(position, 3))) - 1)


def worth(series: Series) -> tuple[np.ndarray, np.ndarray]:
    """Return for each row the window it lies in (-1 for none), and what a detection there is worth unweighted."""
    rows = np.arange(len(series.values))
    window, value = np.full(len(rows), -1), np.full(len(rows), -1.0)
    for number, (first, last) in enumerate(series.windows):
        inside = (rows >= first) & (rows <= last)
        after = rows > last
        width = last - first + 1
        value[after] = sigmoid((rows[after] - last) / max(width - 1, 1))
        value[inside] = sigmoid(-(last - rows[inside] + 1) / width) / sigmoid(np.array(-1.0))
        window[inside] = number
    return window, value


def score(corpus: dict[str, Series], scores: dict[str, np.ndarray], profile: str) -> float:
    """Return the benchmark's score of a detector's scores, with the best threshold for the whole corpus."""
    found_weight, missed, outside = PROFILES[profile]
    all_scores, all_windows, all_worth, total = [], [], [], 0
    for name, series in corpus.items():
        window, value = worth(series)
        counted = np.arange(len(window)) >= int(PROBATION * min(len(window), PROBATION_ROWS))
        all_scores.append(np.asarray(scores[name])[counted])
        all_windows.append(np.where(window >= 0, window + total, -1)[counted])
        all_worth.append(value[counted])
        total += len(series.windows)
    ranks, window, value = (np.concatenate(parts) for parts in (all_scores, all_windows, all_worth))
    order = np.argsort(-ranks, kind="stable")
    ranks, window, value = ranks[order], window[order], value[order]
    best = np.full(total, -missed)
    gains = np.zeros(len(ranks))
    for at in np.flatnonzero(window >= 0).tolist():
        better = max(best[window[at]], found_weight * value[at])
        gains[at] = better - best[window[at]]
        best[window[at]] = better
    gains[window < 0] = outside * value[window < 0]
    running = -missed * total + np.cumsum(gains)
    ends = np.append(np.flatnonzero(np.diff(ranks)), len(ranks) - 1)  # rows of one score are detected together
    highest = max(float(running[ends].max()), -missed * total)
    return 100 * (highest + missed * total) / ((found_weight + missed) * total)


def ours(series: Series) -> np.ndarray:
    """Return the scores of `tests.support.detectors.metric`."""
    scorer = MetricScorer()
    return np.array([scorer.update(*row) for row in zip(series.seconds.tolist(), series.values.tolist(), strict=True)])


def gaussian(series: Series) -> np.ndarray:
    """Return the scores of River's Gaussian over the last 6,400 values."""
    detector, found = anomaly.GaussianScorer(window_size=6_400, grace_period=30), []
    for value in series.values.tolist():
        found.append(float(detector.score_one(None, value)))
        detector.learn_one(None, value)
    return np.array(found)


def deviation(series: Series) -> np.ndarray:
    """Return the scores of River's standard absolute deviation."""
    detector, found = anomaly.StandardAbsoluteDeviation(), []
    for row, value in enumerate(series.values.tolist()):
        detector.learn_one(None, value)
        found.append(1 - np.exp(-detector.score_one(None, value) / 5) if row > 30 else 0.0)
    return np.array(found)


def run(corpus: dict[str, Series], detector: Callable[[Series], np.ndarray]) -> tuple[dict[str, float], float]:
    """Return the score by profile, and microseconds a row."""
    began = time.perf_counter()
    scores = {name: detector(series) for name, series in corpus.items()}
    cost = (time.perf_counter() - began) / sum(len(series.values) for series in corpus.values()) * 1e6
    return {profile: score(corpus, scores, profile) for profile in PROFILES}, cost


def measure(seed: int = 1, path: Path | None = None) -> list[dict[str, object]]:
    """Return the rows of the table; nothing here is drawn at random."""
    if path is None:
        return []
    corpus = load(path)
    mine, cost = run(corpus, ours)
    beside = [f"{name} {figure}" for name, figure in SHIPPED.items()]
    for name, detector in (("River GaussianScorer", gaussian), ("River StandardAbsoluteDeviation", deviation)):
        beside.append(f"{name} {run(corpus, detector)[0]['standard']:.1f}")
    return [
        {
            "what": "NAB, standard profile",
            "reach": ">= 55",
            "measured": f"{mine['standard']:.1f} (low FP {mine['low FP']:.1f}, low FN {mine['low FN']:.1f}), {cost:.0f} us a row",
            "beside": ", ".join(beside),
        }
    ]


if __name__ == "__main__":
    for line in measure(path=Path(sys.argv[1])):
        print(line)
