"""How good guards are, from labels that say which hazard a person saw, weighted by what drew them."""

import numpy as np
import pytest

from detectors.intervals import wilson
from tests.support.histories import ask, counts, fill, near
from tests.support.reviewed import ask_quality, item, label, verdict

pytestmark = pytest.mark.store

PII, SECRET, JAILBREAK = "sec.data_leakage.pii", "sec.data_leakage.secret", "sec.jailbreak"


def test_each_guard_and_category_has_its_own_precision_and_recall(store):
    """A person's category is held against the same category of each guard that looked; a family holds its codes."""
    fill(
        store,
        review_items=[item(n, 0, 0.5) for n in range(6)],
        review_labels=[
            label(0, "unsafe", categories=[PII]), label(1, "safe"), label(2, "unsafe", categories=[SECRET]),
            label(3, "unsafe", categories=[JAILBREAK]), label(4, "unsafe", categories=[PII]),
        ],
        guard_verdicts=[
            verdict(0, "pii", {PII: 1}), verdict(1, "pii", {PII: 1}), verdict(2, "pii", {PII: 1}),
            verdict(4, "pii", {PII: 0}),
            verdict(3, "jail", {JAILBREAK: 1}, layer="input"), verdict(4, "jail", {JAILBREAK: 0}, layer="input"),
        ],
    )  # fmt: skip
    found = ask_quality(store)
    pii = found["a", "pii", "output", PII]
    assert (pii["labels"], pii["precision"], pii["recall"], pii["flagged_events"]) == (4, 1 / 3, 0.5, 6)
    assert (pii["caught"], pii["missed"], pii["wrong"]) == (2, 2, 4)
    family = found["a", "pii", "output", "leak"]
    assert (family["precision"], family["recall"]) == (2 / 3, 2 / 3)
    jail = found["a", "jail", "input", JAILBREAK]
    assert (jail["labels"], jail["precision"], jail["recall"]) == (2, 1, 1)
    assert ("a", "jail", "input", PII) not in found
    assert found["a", "", "output", SECRET]["recall"] == 0
    assert found["a", "", "", PII]["missed"] == pytest.approx(12 / 5)
    assert found["a", "", "", ""]["recall"] == pytest.approx(0.75)


def test_labels_of_one_weight_have_the_interval_of_wilson(store):
    """Where all were drawn alike, precision has Wilson's interval; items that nobody judged say nothing."""
    seen = [True] * 15 + [False] * 5
    fill(
        store,
        review_items=[item(n, 0, 0.25) for n in range(40)],
        review_labels=[label(n, "unsafe" if unsafe else "safe", categories=[PII]) for n, unsafe in enumerate(seen)],
        guard_verdicts=[verdict(n, "pii", {PII: 1}) for n in range(40)],
    )
    row = ask_quality(store)["a", "pii", "output", PII]
    low, high = wilson(np.array([15.0]), np.array([20.0]))
    assert near((row["precision"], row["precision_lower"], row["precision_upper"]), (0.75, low[0], high[0]))


def test_what_a_label_leaves_open_is_known_of_no_category(store):
    """`unsafe` without a category counts for all that is harmful only; a guard in shadow is held against labels too."""
    fill(
        store,
        review_items=[item(0, 0, 0.5), item(1, 0, 0.5)],
        review_labels=[label(0, "unsafe"), label(1, "benign_blocked")],
        guard_verdicts=[verdict(0, "pii", {PII: 0}, mode="shadow", findings_score=[0.9]), verdict(1, "pii", {PII: 1})],
    )
    found = ask_quality(store)
    assert (found["a", "pii", "output", PII]["labels"], found["a", "pii", "output", PII]["precision"]) == (1, 0)
    assert (found["a", "pii", "output", ""]["labels"], found["a", "pii", "output", ""]["precision"]) == (2, 0.5)
    assert found["a", "", "", ""]["recall"] == 0
    assert found["a", "", "", "qual.over_refusal"]["recall"] == 0


WORLD = {"size": (9_000, 900, 100), "hazard": (0.001, 0.03, 0.5), "flag": (0.2, 0.6, 0.9), "wrong": (0.0, 0.02, 0.3)}


def worlds(rng, number):
    """Return items, labels and verdicts of so many services with the truth of each: precision, recall."""
    items, labels, verdicts, truth = [], [], [], {}
    stratum = np.repeat([0, 1, 2], WORLD["size"])
    for service in map(str, range(number)):
        hazard = rng.random(len(stratum)) < np.take(WORLD["hazard"], stratum)
        flag = rng.random(len(stratum)) < np.where(
            hazard, np.take(WORLD["flag"], stratum), np.take(WORLD["wrong"], stratum)
        )
        propensity = np.minimum(1, 80 / np.take(WORLD["size"], stratum))
        for at in np.flatnonzero(rng.random(len(stratum)) < propensity).tolist():
            name = f"{service}/{at}"
            items.append(item(name, int(stratum[at]), float(propensity[at]), service_name=service))
            labels.append(label(name, "unsafe" if hazard[at] else "safe", categories=[PII] * bool(hazard[at])))
            verdicts.append(verdict(name, "pii", {PII: int(flag[at])}))
        truth[service] = (hazard[flag].mean(), flag[hazard].mean(), (hazard & ~flag).sum())
    return items, labels, verdicts, truth


def test_the_intervals_hold_the_truth(store):
    """Of 40 services with seeded labels, precision, recall and what was missed lie in nine of ten intervals."""
    items, labels, verdicts, truth = worlds(np.random.default_rng(5), 40)
    fill(store, review_items=items, review_labels=labels, guard_verdicts=verdicts)
    found = ask_quality(store)
    for place, name in enumerate(("precision", "recall", "missed")):
        rows = {service: found[service, "pii", "output", PII] for service in truth}
        held = [row[f"{name}_lower"] <= truth[service][place] <= row[f"{name}_upper"] for service, row in rows.items()]
        assert np.mean(held) >= 0.9, name


def test_all_guards_together_are_a_kpi_by_family(store):
    """What any guard flagged, against what people saw: all that is harmful, and each family."""
    fill(
        store,
        service_hours=[counts(0)],
        review_items=[item(n, 0, 0.5) for n in range(3)],
        review_labels=[
            label(0, "unsafe", categories=[PII]),
            label(1, "unsafe", categories=[JAILBREAK]),
            label(2, "safe"),
        ],
        guard_verdicts=[verdict(0, "pii", {PII: 1}), verdict(2, "pii", {PII: 1})],
    )
    found = {key[:2]: row["value"] for key, row in ask(store, "kpi_guard_quality").items()}
    assert found["hazard_recall", ""] == 0.5
    assert (found["hazard_recall", "leak"], found["hazard_recall", "injection"]) == (1, 0)
    assert (found["flag_precision", "leak"], found["flag_precision", "injection"]) == (0.5, None)
