"""Single odd events: average precision and cost, beside River's anomaly detectors on the same features."""

import time

import numpy as np

from detectors.events.odd import OddEvents
from detectors.river.anomaly import RiverAnomaly

EVENTS, WARM_UP, BATCH, APPS = 60_000, 5_000, 256, 4
ODD = 0.003


def logit(share):
    """Return a score between 0 and 1 on a scale without ends."""
    return np.log((share + 0.002) / (1.002 - share))


def stream(seed):
    """Return (app, features, kind): calls of four apps with a slow drift, and five kinds of odd ones (kind > 0)."""
    rng = np.random.default_rng(seed)
    app = rng.integers(0, APPS, EVENTS)
    level = np.array([[6, 5, 6.5], [7.5, 4, 7], [5, 6.5, 7.5], [8, 6, 8]])[app]
    tokens_in = level[:, 0] + rng.normal(0, 0.5, EVENTS) + np.log(1.3) * np.arange(EVENTS) / EVENTS
    tokens_out = level[:, 1] + 0.4 * (tokens_in - level[:, 0]) + rng.normal(0, 0.4, EVENTS)
    latency = level[:, 2] + 0.5 * (tokens_out - level[:, 1]) + rng.normal(0, 0.3, EVENTS)
    toxic, injection = rng.beta(1.2, 30, EVENTS), rng.beta(1.2, 40, EVENTS)
    tools, retries = rng.poisson(np.array([0, 1, 2, 4])[app]).astype(float), rng.poisson(0.1, EVENTS).astype(float)
    kind = np.where((rng.random(EVENTS) < ODD) & (np.arange(EVENTS) > WARM_UP), rng.integers(1, 6, EVENTS), 0)
    tokens_in[kind == 1] += 2.5
    tokens_out[kind == 2] -= 2.0
    latency[kind == 2] += 1.2
    injection[kind == 3] = rng.beta(6, 6, (kind == 3).sum())
    tools[kind == 3] += 3
    tools[kind == 4] += 10
    retries[kind == 4] += 4
    toxic[kind == 5] = rng.beta(8, 8, (kind == 5).sum())
    features = [tokens_in, tokens_out, latency, logit(toxic), logit(injection), np.log1p(tools), np.log1p(retries)]
    return app, np.column_stack(features), kind


def average_precision(scores, odd):
    """Return the mean precision at each odd event, in the order of the scores (ties by their order)."""
    order = np.argsort(-scores, kind="stable")
    hits = odd[order]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())


def ours(app, features):
    """Return scores and microseconds an event."""
    odd, scores = OddEvents(features.shape[1]), np.zeros(len(app))
    odd.grow(APPS)
    began = time.perf_counter()
    for start in range(0, len(app), BATCH):
        of = slice(start, start + BATCH)
        scores[of] = odd.score(app[of], features[of])
        odd.learn(app[of], features[of])
    return scores, (time.perf_counter() - began) / len(app) * 1e6


def rivers(name, app, features, parameters):
    """Return scores and microseconds an event of a River class, one model an app, on standardised features."""
    odd = OddEvents(features.shape[1])
    odd.grow(APPS)
    odd.learn(app[:WARM_UP], features[:WARM_UP])
    river = RiverAnomaly(name, features.shape[1], parameters, every=1)
    river.grow(APPS)
    z = odd.standardised(app, features)
    began = time.perf_counter()
    scores = river.update(app, z)
    return scores, (time.perf_counter() - began) / len(app) * 1e6


def measure(seed: int = 1) -> list[dict[str, object]]:
    """Return the rows of the table."""
    app, features, kind = stream(seed)
    scores, cost = ours(app, features)
    after = np.arange(EVENTS) >= WARM_UP
    mine = average_precision(scores[after], kind[after] > 0)
    beside = []
    some = slice(0, 20_000)
    for name, parameters in (
        ("river.anomaly.HalfSpaceTrees", {"n_trees": 10, "height": 8}),
        ("river.anomaly.LODA", {"n_random_cuts": 20}),
        ("river.anomaly.OneClassSVM", {}),
    ):
        theirs, their_cost = rivers(name, app[some], features[some], parameters)
        precision = average_precision(theirs[WARM_UP:], kind[some][WARM_UP:] > 0)
        beside.append(f"{name.rsplit('.')[-1]} {precision:.2f} at {their_cost:.0f} us")
    return [
        {
            "what": "odd events: average precision, 0.3 % of five kinds",
            "reach": ">= .75",
            "measured": f"{mine:.2f}",
            "beside": ", ".join(beside),
        },
        {
            "what": "odd events: cost",
            "reach": "<= 8 us an event",
            "measured": f"{cost:.1f} us",
            "beside": "as above",
        },
    ]


if __name__ == "__main__":
    for row in measure():
        print(row)
