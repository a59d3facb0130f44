"""Emerging patterns: how soon an attack is a cluster of its own, at what false news and cost, beside DBSTREAM.

30 Zipf topics and a tenth of noise in 32 dimensions; from event 8,000 on, one event in a hundred is an attack.
"""

import time

import numpy as np
from river.cluster import DBSTREAM

from detectors.events.patterns import PatternFinder

EVENTS, START, WARM_UP, BATCH, ATTACK = 16_000, 8_000, 5_000, 256, 99
PEER_EVENTS, PEER_TIMED = 2_500, 500


def unit(vectors):
    """Return vectors of length 1."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def world(rng):
    """Return the vectors, what each of them is, and the direction of the attack."""
    topics, attack = unit(rng.normal(size=(30, 32))), unit(rng.normal(size=32))
    share = 1 / np.arange(1, 31)
    kind = rng.choice(30, EVENTS, p=share / share.sum())
    vectors = topics[kind] + rng.normal(0, 1.05 / np.sqrt(32), (EVENTS, 32))
    noise = rng.random(EVENTS) < 0.1
    vectors[noise], kind[noise] = rng.normal(size=(noise.sum(), 32)), -1
    attacking = (np.arange(EVENTS) >= START) & (rng.random(EVENTS) < 0.01)
    vectors[attacking] = attack + rng.normal(0, 0.45 / np.sqrt(32), (attacking.sum(), 32))
    kind[attacking] = ATTACK
    return unit(vectors).astype(np.float32), kind, attack


def find(vectors, kind, attack, batch):
    """Return attack events until it was surfaced, false news per 10,000 events, and microseconds an event."""
    finder, surfaced, false = PatternFinder(warm_up=WARM_UP), None, 0
    began = time.perf_counter()
    for start in range(0, EVENTS, batch):
        for pattern in finder.assign(vectors[start : start + batch]).new:
            if finder.centroid(pattern.number) @ attack < 0.7:
                false += 1
            elif surfaced is None:
                surfaced = pattern.size, int((kind[: start + batch] == ATTACK).sum())
    cost = (time.perf_counter() - began) / EVENTS * 1e6
    return surfaced, false / (EVENTS - WARM_UP) * 1e4, cost


def peer_cost(vectors):
    """Return microseconds an event of DBSTREAM, learning and predicting, over the last events of its sample."""
    model = DBSTREAM(clustering_threshold=0.8, fading_factor=0.001, cleanup_interval=500, minimum_weight=3)
    rows = [dict(enumerate(map(float, row))) for row in vectors[:PEER_EVENTS]]
    for row in rows[:-PEER_TIMED]:
        model.learn_one(row)
    began = time.perf_counter()
    for row in rows[-PEER_TIMED:]:
        model.learn_one(row)
        model.predict_one(row)
    return (time.perf_counter() - began) / PEER_TIMED * 1e6


def measure(seed: int = 1) -> list[dict[str, object]]:
    """Return what was measured over ten worlds."""
    worlds = [world(np.random.default_rng([seed, number])) for number in range(10)]
    rows: list[dict[str, object]] = []
    for batch in (256, 32):
        found = [find(*each, batch) for each in worlds]
        seen = [surfaced for surfaced, _, _ in found if surfaced]
        cost = float(np.median([us for _, _, us in found]))
        until = [events for _, events in seen]
        what = f"batches of {batch}"
        rows += [
            {
                "what": f"attack surfaced, {what}",
                "reach": "<= 10 of its events",
                "measured": f"{len(seen)} of 10 worlds; "
                + (
                    f"{np.median(until):.0f} attack events (median; worst {max(until)}) until the batch that named it ended"
                    if until
                    else "never"
                ),
                "beside": "",
            },
            {
                "what": f"false new clusters, {what}",
                "reach": "<= 10 per 10k events",
                "measured": f"{np.mean([f for _, f, _ in found]):.1f} (worst world {max(f for _, f, _ in found):.1f}) per 10k events",
                "beside": "",
            },
            {"what": f"cost, {what}", "reach": "<= 15 us/event", "measured": f"{cost:.1f} us/event", "beside": ""},
        ]
    peer = peer_cost(worlds[0][0])
    for row in rows:
        if str(row["what"]).startswith("cost"):
            row["beside"] = (
                f"River DBSTREAM, events {PEER_EVENTS - PEER_TIMED} to {PEER_EVENTS}: {peer:.0f} us/event, {peer / float(str(row['measured']).split()[0]):.0f} x"
            )
    return rows


if __name__ == "__main__":
    for line in measure():
        print(line)
