"""The true rate from 500 labels of 50,000 events, as the KPI says it: error, coverage, also after the recall fell."""

import tempfile

import numpy as np
from scipy.special import expit

from detectors.intervals import wilson
from detectors.review.strata import ReviewSampler
from streams.events.hashing import mixed
from streams.settings import load
from streams.watch.single.runs import Runs
from tests.support.histories import ask, fill, of
from tests.support.reviewed import ask_quality, item, label, verdict
from tests.support.stores import own_database

EVENTS, LABELS, RUNS = 50_000, 500, 300
CODE = "content.ssh"
WORLDS = (("rate 1 %", 0.01, 0.0), ("rate 1 %, the guard's recall fell", 0.01, -1.8))


def day(rng, rate, shift):
    """Return which events are unsafe, and the guard's logit."""
    return seen(rng, rng.random(EVENTS) < rate, shift)


def seen(rng, unsafe, shift):
    """Return events and the guard's logit of each; safe ones lie at -5, unsafe at 1.5, less the shift."""
    return unsafe, np.where(unsafe, rng.normal(1.5 + shift, 1.2, len(unsafe)), rng.normal(-5.0, 1.2, len(unsafe)))


def drawn(service, sampler, unsafe, logit, rng):
    """Return items, labels and verdicts of a day's sample."""
    strata = sampler.strata(expit(logit))
    kinds = mixed(np.full(len(strata), rng.integers(2**63), np.uint64), strata)
    drawn_now, propensity = Runs().chosen(kinds, sampler.propensity(strata))
    chosen = np.flatnonzero(drawn_now).tolist()
    own = {"service_name": service}
    names = [f"{service}/{at}" for at in chosen]
    return (
        [item(name, int(strata[at]), float(propensity[at]), **own) for name, at in zip(names, chosen, strict=True)],
        [label(name, "unsafe" if unsafe[at] else "safe", categories=[CODE] * bool(unsafe[at]), **own)
         for name, at in zip(names, chosen, strict=True)],
        [verdict(name, "g", {CODE: int(logit[at] > 0)}, **own) for name, at in zip(names, chosen, strict=True)],
    )  # fmt: skip


def rogan_gladen(logit, sensitivity, specificity):
    """Return the rate corrected by an old validation, with its interval (500 unsafe and 2,000 safe labels)."""
    flagged = (logit > 0).mean()
    slope = sensitivity + specificity - 1
    rate = min(max((flagged + specificity - 1) / slope, 0.0), 1.0)
    spread = flagged * (1 - flagged) / EVENTS / slope**2
    spread += (
        rate**2 * sensitivity * (1 - sensitivity) / 500 + (1 - rate) ** 2 * specificity * (1 - specificity) / 2000
    ) / slope**2
    return rate, rate - 1.96 * spread**0.5, rate + 1.96 * spread**0.5


def beside(rng, unsafe, logit):
    """Return what a random sample and a corrected flag rate say: relative error, and whether the truth is held."""
    truth = unsafe.mean()
    sample = rng.integers(0, EVENTS, LABELS)
    low, high = wilson(np.array([unsafe[sample].sum()]), np.array([LABELS]))
    old = day(rng, 0.01, 0.0)
    corrected = rogan_gladen(
        logit, min((old[1] > 0)[old[0]].mean(), 0.9995), min((old[1] <= 0)[~old[0]].mean(), 0.99975)
    )
    return {
        "random": (unsafe[sample].mean() / truth - 1, low[0] <= truth <= high[0]),
        "rogan": (corrected[0] / truth - 1, corrected[1] <= truth <= corrected[2]),
    }


def told(store, rng, rate, shift):
    """Return relative errors and whether truth and recall are held, a service for each run, and what others say."""
    rows, truth, others = ([], [], []), {}, []
    for service in map(str, range(RUNS)):
        sampler = ReviewSampler(LABELS)
        sampler.learn(expit(day(rng, rate, shift)[1]))
        sampler.renew(days=1.0)
        unsafe, logit = day(rng, rate, shift)
        truth[service] = unsafe.mean(), (logit > 0)[unsafe].mean()
        for into, found in zip(rows, drawn(service, sampler, unsafe, logit, rng), strict=True):
            into.extend(found)
        others.append(beside(rng, unsafe, logit))
    fill(store, review_items=rows[0], review_labels=rows[1], guard_verdicts=rows[2])
    rates, guards = of(ask(store, "kpi_reviewed"), "unsafe_reviewed"), ask_quality(store)
    errors = [rates[0, name, ""]["value"] / true - 1 for name, (true, _) in truth.items()]
    covered = [rates[0, name, ""]["lower"] <= true <= rates[0, name, ""]["upper"] for name, (true, _) in truth.items()]
    quality = {name: guards[name, "g", "output", CODE] for name in truth}
    recalls = [
        quality[name]["recall_lower"] <= true <= quality[name]["recall_upper"] for name, (_, true) in truth.items()
    ]
    return errors, covered, recalls, others


def measure(seed: int = 1) -> list[dict[str, object]]:
    """Return the rows of the table."""
    rng, found = np.random.default_rng(seed), []
    settings = load(clickhouse=f"chdb://{tempfile.mkdtemp()}", clickhouse_database="true_rate")
    with own_database(settings) as store:
        for what, rate, shift in WORLDS:
            errors, covered, recalls, others = told(store, rng, rate, shift)
            other = {name: (np.sqrt(np.mean([each[name][0] ** 2 for each in others])),
                            np.mean([each[name][1] for each in others])) for name in ("random", "rogan")}  # fmt: skip
            found.append(
                {
                    "what": f"true rate, {what}, 500 labels: relative RMSE; coverage of the interval",
                    "reach": "<= 12 %; >= .9",
                    "measured": f"{np.sqrt(np.mean(np.square(errors))):.1%}; {np.mean(covered):.2f}"
                    f" (recall of the guard {np.mean(recalls):.2f})",
                    "beside": f"random sample {other['random'][0]:.0%}; {other['random'][1]:.2f}, "
                    f"Rogan-Gladen {other['rogan'][0]:.0%}; {other['rogan'][1]:.2f}",
                }
            )
    return found
