"""The true rate from 500 labels of 50,000 events: error, coverage, also after the guard's recall fell."""

import numpy as np
from scipy.special import expit

from detectors.intervals import wilson
from detectors.review.strata import STRATA, ReviewSampler
from detectors.review.true_rate import Labels, guard_quality, true_rate

EVENTS, LABELS, RUNS = 50_000, 500, 300
WORLDS = (("rate 1 %", 0.01, 0.0), ("rate 1 %, the guard's recall fell", 0.01, -1.8))


def day(rng, rate, shift):
    """Return which events are unsafe, and the guard's logit; safe ones lie at -5, unsafe at 1.5, less the shift."""
    unsafe = rng.random(EVENTS) < rate
    return unsafe, np.where(unsafe, rng.normal(1.5 + shift, 1.2, EVENTS), rng.normal(-5.0, 1.2, EVENTS))


def stratified(sampler, unsafe, logit, rng):
    """Return labels by stratum and flag of a day's sample."""
    strata = sampler.strata(expit(logit))
    chosen = rng.random(EVENTS) < sampler.propensity(strata)
    cell = strata * 2 + (logit > 0)
    counts = [np.bincount(cell[mask], minlength=2 * STRATA).reshape(STRATA, 2)
              for mask in (np.ones(EVENTS, bool), chosen, chosen & unsafe)]  # fmt: skip
    return Labels(*(count.astype(float) for count in counts))


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


def measure(seed: int = 1) -> list[dict[str, object]]:
    """Return the rows of the table."""
    rng, rows = np.random.default_rng(seed), []
    for what, rate, shift in WORLDS:
        errors, covered, beside = [], [], {"random": [], "rogan": []}
        recalls = []
        for _ in range(RUNS):
            sampler = ReviewSampler(LABELS)
            sampler.learn(expit(day(rng, rate, shift)[1]))
            sampler.renew(days=1.0)
            unsafe, logit = day(rng, rate, shift)
            truth = float(unsafe.mean())
            labels = stratified(sampler, unsafe, logit, rng)
            found = true_rate(Labels(*(part.sum(axis=1) for part in labels)))
            errors.append(found.value / truth - 1)
            covered.append(found.lower <= truth <= found.upper)
            recall = float((logit > 0)[unsafe].mean())
            quality = guard_quality(labels).recall
            recalls.append(quality.lower <= recall <= quality.upper)
            sample = rng.integers(0, EVENTS, LABELS)
            low, high = wilson(np.array([unsafe[sample].sum()]), np.array([LABELS]))
            beside["random"].append((unsafe[sample].mean() / truth - 1, low[0] <= truth <= high[0]))
            old = day(rng, 0.01, 0.0)
            corrected = rogan_gladen(
                logit, min((old[1] > 0)[old[0]].mean(), 0.9995), min((old[1] <= 0)[~old[0]].mean(), 0.99975)
            )
            beside["rogan"].append((corrected[0] / truth - 1, corrected[1] <= truth <= corrected[2]))
        rmse = float(np.sqrt(np.mean(np.square(errors))))
        other = {name: (np.sqrt(np.mean([item[0] ** 2 for item in found])), np.mean([item[1] for item in found]))
                 for name, found in beside.items()}  # fmt: skip
        rows.append(
            {
                "what": f"true rate, {what}, 500 labels: relative RMSE; coverage of the interval",
                "reach": "<= 12 %; >= .9",
                "measured": f"{rmse:.1%}; {np.mean(covered):.2f} (recall of the guard {np.mean(recalls):.2f})",
                "beside": f"random sample {other['random'][0]:.0%}; {other['random'][1]:.2f}, "
                f"Rogan-Gladen {other['rogan'][0]:.0%}; {other['rogan'][1]:.2f}",
            }
        )
    return rows


if __name__ == "__main__":
    for row in measure():
        print(row)
