"""What people say of a sample: the rate, as known now or then, agreement, satisfaction."""

from collections import Counter, defaultdict
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.histories import HOUR, START, ask, counts, fill, holds, near, of
from tests.support.reviewed import item, label

pytestmark = pytest.mark.store

Z = 1.959963984540054


words = st.sampled_from(["safe", "unsafe", "borderline", "cannot_judge", None])
methods = st.sampled_from(["stratified", "random", "flagged"])
samples = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from([0.1, 0.5, 1.0]), words, words, methods), min_size=1, max_size=30
)


def estimated(sample):
    """Return the stratified estimate and its bounds, as the formula says."""
    strata = defaultdict(list)
    for stratum, propensity, *said, method in sample:
        known = [word == "unsafe" for word in said if word not in (None, "cannot_judge")]
        if method != "flagged":
            unsafe = sum(known) / len(known) if known else None
            strata[stratum].append((1 / propensity, unsafe, method == "random"))
    whole = sum(weight for items in strata.values() for weight, *_ in items)
    judged = []
    for items in strata.values():
        known = [(weight, unsafe) for weight, unsafe, _ in items if unsafe is not None]
        if not known:
            continue
        size, n, drawn = sum(weight for weight, *_ in items), len(known), len(items)
        alone = min(drawn, 1 + sum(by_itself for *_, by_itself in items))
        share = sum(weight * unsafe for weight, unsafe in known) / sum(weight for weight, _ in known)
        centre = (n * share + 0.5) / (n + 1)
        half = Z * (centre * (1 - centre) / n * (1 - min(1, n / size))) ** 0.5
        judged.append((size, share, half, (Z * size / drawn) ** 2 * alone * (1 - min(1, drawn / size))))
    if not judged:
        return None, None, None
    seen = sum(size for size, *_ in judged)
    value = sum(size * share for size, share, *_ in judged) / seen
    sizes = sum(chance * (share - value) ** 2 for _, share, _, chance in judged)
    below = (sum((size * min(share, half)) ** 2 for size, share, half, _ in judged) + sizes) ** 0.5
    above = (sum((size * half) ** 2 for size, _, half, _ in judged) + sizes) ** 0.5
    low = value * seen / whole
    return value, max(0, low - below / whole), min(1, low + above / whole + 1 - seen / whole)


@settings(max_examples=12)
@given(sample=samples)
def test_the_reviewed_rate_is_the_stratified_estimate(store, sample):
    """Weights are one over the propensity, strata by their weight; what was not drawn at random is left out."""
    items = [item(n, row[0], row[1], row[4]) for n, row in enumerate(sample)]
    labels = [
        label(n, word, who=who)
        for n, row in enumerate(sample)
        for who, word in zip("xy", row[2:4], strict=True)
        if word
    ]
    fill(store, service_hours=[counts(0)], review_items=items, review_labels=labels)
    found = of(ask(store, "kpi_reviewed"), "unsafe_reviewed")
    if all(row[4] == "flagged" for row in sample):
        assert not found
        return
    row = found[0, "a", ""]
    assert near((row["value"], row["lower"], row["upper"]), estimated(sample))


def test_the_bounds_hold_the_true_share(store):
    """Of seeded samples from a known population nearly all bounds hold its share."""
    rng, held = np.random.default_rng(7), 0
    for _ in range(12):
        stratum = np.repeat([0, 1], [4_000, 200])
        unsafe = rng.random(4_200) < np.where(stratum, 0.4, 0.01)
        propensity = np.where(stratum, 0.5, 0.03)
        drawn = np.flatnonzero(rng.random(4_200) < propensity)
        fill(
            store,
            service_hours=[counts(0)],
            review_items=[item(n, int(stratum[n]), float(propensity[n]), "random") for n in drawn],
            review_labels=[label(n, "unsafe" if unsafe[n] else "safe") for n in drawn],
        )
        row = of(ask(store, "kpi_reviewed"), "unsafe_reviewed")[0, "a", ""]
        held += row["lower"] <= unsafe.mean() <= row["upper"]
    assert held >= 10


def test_as_known_then_and_as_known_now(store):
    """A label counts from when it was said, and one that it supersedes no longer from then on."""
    labels = [label(0, "unsafe", 5), label(0, "safe", 90, supersedes_label_id="l0/x/5"), label(1, "safe", 5)]
    fill(store, service_hours=[counts(0)], review_items=[item(0, 0, 0.5), item(1, 0, 0.5)], review_labels=labels)

    def value(minutes):
        then = START + timedelta(minutes=minutes)
        return of(ask(store, "kpi_reviewed", known_at=then), "unsafe_reviewed")[0, "a", ""]["value"]

    assert [value(1), value(30), value(120)] == [None, 0.5, 0.0]


@settings(max_examples=8)
@given(pairs=st.lists(st.tuples(words, words), min_size=1, max_size=25))
def test_agreement_is_cohens_kappa(store, pairs):
    """Over events that two people could judge; NULL where chance alone explains everything."""
    labels = [label(n, word, minute, who) for n, pair in enumerate(pairs)
              for minute, who, word in zip((1, 2), "xy", pair, strict=True) if word]  # fmt: skip
    fill(store, service_hours=[counts(0)], review_labels=labels)
    both = [pair for pair in pairs if not {None, "cannot_judge"} & set(pair)]
    found = of(ask(store, "kpi_agreements"), "review_agreement")
    if not both:
        assert not found
        return
    n, row = len(both), found[0, "a", ""]
    agreed = sum(one == other for one, other in both) / n
    first, second = Counter(one for one, _ in both), Counter(other for _, other in both)
    chance = sum(first[word] * second[word] for word in first) / n**2
    assert row["n"] == n
    if chance == 1:
        assert row["value"] is row["lower"] is row["upper"] is None
        return
    kappa, half = (agreed - chance) / (1 - chance), Z * (agreed * (1 - agreed) / n) ** 0.5 / (1 - chance)
    assert near((row["value"], row["lower"], row["upper"]), (kappa, max(-1, kappa - half), min(1, kappa + half)))


def test_satisfaction_is_the_mean_score_of_users(store):
    """Only end users, only scores from 0 to 1."""
    labels = [label(n, "safe", who=str(n), kind=kind, score=score) for n, (kind, score) in enumerate(
        [("end_user", 1.0), ("end_user", 0.5), ("end_user", 5.0), ("end_user", None), ("human", 0.0)])]  # fmt: skip
    fill(store, service_hours=[counts(0)], review_labels=labels)
    assert holds(of(ask(store, "kpi_known_shares"), "satisfaction")[0, "a", ""], 1.5, 2)


def test_an_hour_without_telemetry_has_labels_that_are_not_trusted(store):
    """Labels of an hour in which the service is not known to have lived are untrusted."""
    fill(store, service_hours=[counts(3)], review_items=[item(0, 0, 0.5)], review_labels=[label(0, "safe")])
    row = of(ask(store, "kpi_reviewed", step=int(HOUR.total_seconds())), "unsafe_reviewed")[0, "a", ""]
    assert (row["trust"], row["trust_reason"]) == ("untrusted", "no events")
