"""New model versions: told once, for services that are known, and the same by a successor."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.windows import GroupSums
from streams.detect.versions import ENOUGH, VersionWatch
from streams.findings.finding import start_of
from tests.support.watchers import assert_successors_agree, told

START, SECONDS = 2_950_000, 600
DAY = 144


def group(version, events=3, service="chat", variant=""):
    """Return the sums of a group."""
    return GroupSums(tenant_id="t", service_name=service, model_version=version, variant=variant, events=events)


def run(subject, ticks):
    """Return the findings of ticks given by their distance from the start."""
    return [finding for step, groups in ticks for finding in told(subject, START + step, groups)]


def test_a_new_version_of_a_known_service_is_told_once():
    """After a day of one version another is a finding with its first tick, what ran before, and no severity."""
    subject = VersionWatch(SECONDS, 100)
    usual = [(step, [group("m1")]) for step in range(DAY + 10)]
    assert not run(subject, usual)
    new = [(DAY + 10 + step, [group("m1"), group("m2", variant="canary")]) for step in range(50)]
    [found] = run(subject, new)
    assert (found.kind, found.severity, found.family, found.metric) == ("version", "info", "change", "model_version")
    assert (found.service_name, found.model_version, found.versions) == ("chat", "m2", ["m1"])
    assert found.onset_time_unix_nano == start_of(START + DAY + 10, SECONDS)
    assert found.sample_size >= ENOUGH


def test_what_a_service_comes_with_is_no_news():
    """Versions of a service's first day, few events, unknown versions and summed-up groups are not told."""
    subject = VersionWatch(SECONDS, 100)
    first = [(step, [group("m1"), group("m2"), group("")]) for step in range(DAY - 1)]
    later = [(DAY + step, [group("m1"), group("", 50), group("~other", 50, "~other")]) for step in range(50)]
    assert not run(subject, [*first, *later, (DAY + 60, [group("m3", ENOUGH - 1)])])
    assert [found.model_version for found in run(subject, [(DAY + 90, [group("m3", 1)])])] == ["m3"]


def test_names_that_hold_a_slash_keep_apart():
    """Version ``chat/x`` of ``team`` and version ``x`` of ``team/chat`` are two findings, with two identities."""
    subject = VersionWatch(SECONDS, 100)
    run(subject, [(step, [group("w", service="team"), group("w", service="team/chat")]) for step in range(DAY + 1)])
    found = run(subject, [(DAY + 1, [group("chat/x", 9, "team"), group("x", 9, "team/chat")])])
    assert len({finding.finding_id for finding in found}) == len(found) == 2


def test_no_more_is_kept_than_there_is_room_for():
    """Versions beyond the bound are counted as overflow and told of nothing."""
    subject = VersionWatch(SECONDS, 3)
    run(subject, [(step, [group("m1")]) for step in range(DAY + 1)])
    found = run(subject, [(DAY + 1 + step, [group(f"v{step}", 9)]) for step in range(20)])
    assert [finding.model_version for finding in found] == ["v0"]
    assert len(subject.book) <= 4
    assert subject.book.overflow > 0


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.sets(st.integers(1, 399), max_size=4))
def test_a_successor_says_the_same(seed, cuts):
    """Restored in mid-stream at any ticks, it finds the same and ends in the same state, bit for bit."""
    rng = np.random.default_rng(seed)
    ticks = [
        [group(f"m{rng.integers(0, 1 + step // 100)}\0", int(rng.integers(1, 4)), f"s{rng.integers(0, 3)}")]
        for step in range(400)
    ]
    found = assert_successors_agree(lambda: VersionWatch(SECONDS, 100), ticks, cuts, START)
    assert all(finding.kind == "version" for finding in found)


@pytest.mark.parametrize("subject", ["prompt", "index"])
def test_new_versions_of_prompts_and_indexes_are_told_like_those_of_models(subject):
    """What a group shows of them by name and version is a finding of its own, without a model version."""
    watch = VersionWatch(SECONDS, 100, subject)

    def shown(*names):
        return [GroupSums(tenant_id="t", service_name="chat", model_version="m1", events=9,
                          mixes={subject: dict.fromkeys(names, 3), "tool": {"no": 9}})]  # fmt: skip

    assert not run(watch, [(step, shown("help@1")) for step in range(DAY + 10)])
    [found] = run(watch, [(DAY + 10 + step, shown("help@1", "help@2")) for step in range(20)])
    assert (found.metric, found.model_version, found.versions) == (f"{subject}_version", None, ["help@2", "help@1"])
    assert f"shows {subject} version help@2 for the first time" in found.evidence
