"""Versions of prompts and indexes in windows: counted as mixes, and beside each other where variants are."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import Retrieval
from schemas.windows import MAX_PROMPTS, Sums
from tests.streams.watch.test_verdicts import CLEAN, RATE, VILE, call, end, envelope, verdict, windows


def said(name, second, version, variant="canary", prompt="help", **more):
    """Return a call that was answered with a version of a prompt."""
    return call(name, second, prompt_name=prompt, prompt_version=version, deployment_variant=variant, **more)


def groups(found):
    """Return the groups of the service in all windows."""
    return [group for _, groups in sorted(found.items()) for group in groups if group.service_name == "a"]


def sums_of(found, rate=RATE):
    """Return trials and flags of a rate by variant and prompt, over all windows."""
    total = {}
    for group in groups(found):
        for prompt, sums in group.prompts.items():
            one, before = sums.rates.get(rate, Sums()), total.get((group.variant, prompt), (0, 0))
            total[group.variant, prompt] = before[0] + one.trials, before[1] + one.flagged
    return total


def test_versions_of_prompts_and_indexes_are_counted_by_name():
    """A prompt is its name and version, or its version alone; an index is its source and version; sessions count."""
    search = Retrieval(**envelope("r", 2, session_id="s"), data_source_id="handbook", index_version="7")
    log = [call("a", 0, prompt_name="help", prompt_version="12"), call("b", 1, prompt_version="3"), search]
    assert [group.mixes.get(mix) for group in groups(windows(log)) for mix in ("prompt", "index")] == [
        None, {"handbook@7": 1}, {"3": 1, "help@12": 1}, None,
    ]  # fmt: skip
    assert not any(group.prompts for group in groups(windows(log)))
    assert not any("prompt" in group.mixes for group in groups(windows([call("c", 0, prompt_name="help")])))


def test_where_variants_stand_side_by_side_each_prompt_has_its_sums():
    """Rates by prompt and variant, also by verdicts that come later; the group itself is as it was without prompts."""
    log = [said("a", 0, "13"), said("b", 1, "12", "stable"), said("c", 2, "13", guards=[VILE]),
           said("d", 3, "3", prompt="sum"), said("e", 4, "9", "shadow"), verdict("v", 5, target_event_id="a"),
           verdict("w", 400, target_event_id="b")]  # fmt: skip
    found = windows(log)
    assert sums_of(found) == {
        ("canary", "help@13"): (2, 2),
        ("canary", "sum@3"): (1, 0),
        ("stable", "help@12"): (1, 1),
    }
    variants = {"b": "stable", "e": "shadow"}
    plain = windows([call(name, second, deployment_variant=variants.get(name, "canary"), guards=[VILE][: name == "c"])
                     for second, name in enumerate("abcde")] + log[5:])  # fmt: skip
    assert [(group.variant, group.rates, group.events) for group in groups(found)] == [
        (group.variant, group.rates, group.events) for group in groups(plain)
    ]


def test_a_session_of_two_prompts_counts_in_each_and_once_in_its_group():
    """One session that used two prompts is a trial of both, and one of the service."""
    found = windows([said("a", 0, "13", session_id="s"), said("b", 1, "3", prompt="sum", session_id="s")])
    assert sums_of(found) == {("canary", "help@13"): (1, 0), ("canary", "sum@3"): (1, 0)}
    assert [group.rates[RATE].trials for group in groups(found)] == [1]


def test_of_too_many_prompts_those_of_the_most_events_are_told():
    """No more prompts of a group are told apart in a tick than there is room for."""
    many = [said(f"e{number}", 0, f"v{number:02}") for number in range(MAX_PROMPTS + 5)]
    found = windows([*many, said("x", 1, "v24")])
    assert len(sums_of(found)) == MAX_PROMPTS
    assert sums_of(found)["canary", "help@v24"] == (2, 0)


@pytest.fixture(scope="module")
def log():
    """Return calls of two variants, prompts and sessions, with verdicts that come beside and long after them."""
    events = []
    for number in range(60):
        events.append(said(f"e{number}", number, str(number % 3), ("canary", "stable")[number % 2],
                           session_id=f"s{number // 4}", guards=[CLEAN if number % 5 else VILE]))  # fmt: skip
        if number % 7 == 0:
            events.append(verdict(f"v{number}", number + 200, target_event_id=f"e{number}"))
    return sorted(events, key=lambda event: event.time_unix_nano)


@given(st.lists(st.integers(0, 70), max_size=5), st.integers(0, 5))
@settings(max_examples=25, deadline=None)
def test_however_the_log_is_cut_and_whoever_goes_on_the_prompts_are_the_same(log, cuts, restart):
    """Sums of prompts are a function of the log: not of batches, nor of a successor in between."""
    assert windows(log, cuts, restart) == windows(log)
    assert end() not in log
