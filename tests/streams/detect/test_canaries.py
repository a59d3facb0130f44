"""Candidates beside what is stable: a verdict once, looks between, and nothing where there is nothing to compare."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.windows import PromptSums, Sums
from streams.detect.canaries import CanaryWatch
from streams.policy.policy import Policy
from tests.support.watchers import SECONDS, assert_successors_agree, group, run


def watch():
    """Return a watch."""
    return CanaryWatch(SECONDS, Policy())


def both(rng, ratio, service="a"):
    """Return the sums of a tick of both variants, the candidate with so many times the refusals."""
    sums = []
    for variant, version, trials, p in (("stable", "m1", 200, 0.05), ("canary", "m2", 40, 0.05 * ratio)):
        k = int(rng.binomial(trials, p))
        rates = {"refusal": Sums(trials, k, trials, k)}
        sums.append(group(service, version=version, variant=variant, rates=rates))
    return sums


@pytest.mark.parametrize(("ratio", "verdict", "severity"), [(4.0, "worse", "ticket"), (1.0, "not worse", "info")])
def test_a_candidate_beside_stable_gets_a_verdict(ratio, verdict, severity):
    """With both variants in the traffic the candidate's verdict comes by itself, once, and looks as it is exposed."""
    rng = np.random.default_rng(6)
    found = run(watch(), 400, lambda _: both(rng, ratio))
    looks = [finding.sample_size for finding in found if "look" in finding.details]
    assert all(later > look for look, later in pairwise(looks))
    assert verdict == "worse" or 1_000 in looks  # what the gate asks for
    found = [finding for finding in found if "look" not in finding.details]
    assert [(finding.model_version, finding.metric, finding.verdict, finding.severity) for finding in found] == [
        ("m2", "refusal", verdict, severity)
    ]


@pytest.mark.parametrize(
    ("metric", "more", "words"),
    [
        ("category", {"mixes": {"category": {"content.ncr": 9}}}, "content.ncr"),
        ("latency", {"quantities": {"latency": {"90": 20, "75": 20}}}, "above about"),
    ],
)
def test_a_candidate_worse_in_one_category_or_slower_is_told(metric, more, words):
    """One hazard category, or the latency above some edge, is enough for "worse", and it is named."""

    def each(_):
        sums = {"rates": {"unsafe_attempted": Sums(40, 0, 40, 0)}}
        usual = {"mixes": {"category": {"content.ncr": 1}}, "quantities": {"latency": {"75": 40}}}
        return [
            group(version="m1", variant="stable", **(sums | usual)),
            group(version="m2", variant="canary", **(sums | usual | more)),
        ]

    found = [finding for finding in run(watch(), 60, each) if finding.verdict == "worse"]
    assert [finding.metric for finding in found] == [metric]
    assert words in found[0].evidence


def test_without_both_variants_nothing_is_compared():
    """A candidate alone, what is stable alone, other variants, empty ticks and unknown rates take no place."""
    rates, unknown = {"refusal": Sums(9, 9, 9, 9)}, {"no.such": Sums(9, 9, 9, 9)}
    subject = watch()
    for sums in (
        [], [group(variant="canary", rates=rates)], [group(variant="stable", rates=rates)],
        [group(variant="shadow", rates=rates), group(variant="stable", rates=rates)],
        [group(variant="canary", rates=unknown), group(variant="stable", rates=unknown)],
    ):  # fmt: skip
        assert not run(subject, 20, lambda _, sums=sums: sums)
    assert all(len(compared.book) == 0 for compared in subject.compared.values())


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.sets(st.integers(1, 119), max_size=4))
def test_a_successor_says_the_same(seed, cuts):
    """Restored in mid-stream at any ticks, it says each verdict and look once, in the same state."""
    rng = np.random.default_rng(seed)
    stream = [[*both(rng, 4.0), *both(rng, 1.0, "b\0")] for _ in range(120)]
    found = assert_successors_agree(watch, stream, cuts)
    assert {finding.verdict for finding in found if finding.service_name == "a"} >= {"worse"}


def prompts(rng, ratio, changed="help@13"):
    """Return a tick of one model under two versions of a prompt, and of a prompt that both variants share."""
    sums = []
    for variant, prompt, trials, p in (("stable", "help@12", 200, 0.05), ("canary", changed, 40, 0.05 * ratio)):
        k = int(rng.binomial(trials, p))
        rates = {"refusal": Sums(trials, k, trials, k)}
        shared = PromptSums(rates={"refusal": Sums(9, 9, 9, 9)})
        said = {prompt: PromptSums(rates=rates), "sum@3": shared}
        sums.append(group("a", version="m1", variant=variant, rates=rates, prompts=said))
    return sums


@pytest.mark.parametrize(("ratio", "verdict"), [(4.0, "worse"), (1.0, "not worse")])
def test_a_version_of_a_prompt_beside_another_gets_a_verdict(ratio, verdict):
    """The same model answers both: the prompt is the candidate, under its name, and one that both use is none."""
    rng = np.random.default_rng(6)
    found = [each for each in run(watch(), 400, lambda _: prompts(rng, ratio)) if "look" not in each.details]
    assert {(each.model_version, each.verdict) for each in found} == {("help@13", verdict)}


def test_prompts_are_compared_by_their_names():
    """Another prompt is no other version of it: the canary's has nothing beside it."""
    rng = np.random.default_rng(6)
    found = run(watch(), 60, lambda _: prompts(rng, 4.0, "other@1"))
    assert {each.model_version for each in found} == {"m1"}
