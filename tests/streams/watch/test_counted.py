"""What single events come to, told by the code that counts them."""

from streams.watch.counted import counted

BASE = {
    "event_type": "ai.safety.inference.v1", "event_id": "e", "source": "shop/assistant",
    "time_unix_nano": 1_770_000_000_000_000_000, "service_name": "assistant", "session_id": "s",
}  # fmt: skip
VIOLENT = {
    "guard_name": "g", "layer": "output", "status": "ok", "verdict": "flag",
    "findings": [{"category": "content.vcr", "severity": 4}],
}  # fmt: skip


def test_an_event_is_told_with_everything_it_counts_for():
    """Rates, version, session, guards, categories and pages come from the product's own counting, each with its why."""
    [found] = counted([BASE | {"response_model": "m-1", "outcome": "completed", "guards": [VIOLENT]}])
    assert (found.refused, found.kind, found.version, found.session) == (None, "inference", "m-1", "s")
    assert set(found.flagged) == {"unsafe_attempted", "unsafe_served"}
    assert set(found.flagged) < set(found.trials)
    assert (found.guards, found.categories, found.pages) == (("ok",), ("content.vcr",), 1)
    assert any(sentence.startswith("unsafe_served: flagged") for sentence in found.why)


def test_what_is_refused_is_told_with_its_reason_and_place():
    """A record that the contract refuses counts nowhere, and the others keep their places."""
    found = counted([b"{", BASE | {"duration_ms": -3.0}, BASE | {"tenant_id": "a\0b"}, BASE])
    assert [each.refused for each in found] == ["not_json", "invalid", "nul_character", None]
    assert found[1].detail.endswith("`$.duration_ms`")
    assert found[0].trials == ()
    assert found[3].guards == ("uncovered",)


def test_the_clock_of_the_record_refuses_what_is_from_the_future():
    """With the time of writing given, an event from well after it is refused; without it, none is."""
    assert counted([BASE], 1_770_000_000_000 - 3_600_000)[0].refused == "future_time"
    assert counted([BASE])[0].refused is None
