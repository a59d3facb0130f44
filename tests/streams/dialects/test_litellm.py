"""LiteLLM's log against what really happened in each request of a recorded run."""

import gzip
import json
from pathlib import Path

import pytest

from schemas.events import Event
from schemas.wire import decoder
from streams.dialects.litellm import payload

RECORDED = Path(__file__).parent / "recorded"
OUTCOMES = {
    "allowed": "completed", "masked_input": "completed", "masked_output": "completed", "flagged_only": "completed",
    "guard_error_open": "completed", "guard_timeout_open": "completed", "client_abort": "cancelled",
    "model_refusal": "refused", "provider_blocked_output": "filtered", "provider_blocked_input": "filtered",
    "blocked_input": "blocked", "blocked_output": "blocked", "guard_error_closed": "error", "provider_error": "error",
    "provider_timeout": "error", "provider_rate_limit": "error", "client_error": "error", "auth_error": "error",
    "gateway_rate_limit": "rate_limited", "budget_exceeded": "rate_limited",
}  # fmt: skip
RETRIED = {"retry_then_ok", "fallback_ok", "guard_with_fallback", "guard_with_retry"}
TRUTH = [each for each in json.loads((RECORDED / "litellm.truth.json").read_text()) if each["calls"]]


def records(name):
    return [json.loads(line) for line in gzip.decompress((RECORDED / name).read_bytes()).splitlines()]


@pytest.fixture(scope="module")
def calls():
    """Translations by call, in the order in which they were logged."""
    found = {}
    for record in records("litellm.jsonl.gz"):
        found.setdefault(record["litellm_call_id"], []).append(payload.translate(record))
    return found


def told(calls, scenario, number=0):
    """Return the last translation of a scenario's call, and its event."""
    chosen = [each for each in TRUTH if each["scenario"] == scenario][number]
    translation = calls[chosen["calls"][0]][-1]
    return translation, translation.events[0]


@pytest.mark.parametrize("truth", TRUTH, ids=lambda truth: truth["scenario"])
def test_a_call_ends_as_it_really_did(calls, truth):
    """Whatever LiteLLM calls success or failure, the outcome, session and user are those of the request."""
    found = [each.events[0] for each in calls[truth["calls"][0]]]
    assert found[-1]["outcome"] == OUTCOMES[truth["outcome"]]
    assert [each["outcome"] for each in found[:-1]] == ["error"] * (truth["scenario"] in RETRIED)
    assert found[-1].get("user_pseudo_id") == (truth["end_user"] or found[-1].get("user_pseudo_id"))
    header = "sess-hdr-9" if truth["scenario"] == "success_headers" else None
    assert found[-1].get("session_id") == (truth["session"] or header)


@pytest.mark.parametrize("truth", TRUTH, ids=lambda truth: truth["scenario"])
def test_a_guards_verdict_is_what_it_did(calls, truth):
    """A block is a block of the layer that was judged, masking is no pass, and who failed is not clean."""
    _, event = told(calls, truth["scenario"])
    guards, outcome = event.get("guards", []), truth["outcome"]
    acted = [
        (guard["layer"], guard.get("action")) for guard in guards if guard.get("action") in ("blocked", "redacted")
    ]
    if outcome.startswith("blocked_"):
        assert [layer for layer, action in acted if action == "blocked"] == [outcome.removeprefix("blocked_")]
    elif outcome.startswith("masked_"):
        blind = truth["scenario"] in ("cust_pre_mask", "generic_closed_email")
        assert acted == ([] if blind else [(outcome.removeprefix("masked_"), "redacted")])
    elif outcome.startswith("guard_error_closed"):
        assert [(guard["status"], guard["fail_mode"]) for guard in guards] == [("error", "closed")]
    else:
        assert acted == []
    if outcome in ("guard_error_open", "guard_timeout_open"):
        assert all(guard["verdict"] == "unknown" for guard in guards)


def test_every_event_fits_the_contract_and_no_two_are_one(calls):
    """All 128 are accepted, each under an id of its own, and the same record gives the same id again."""
    events = [each.events[0] for call in calls.values() for each in call]
    decode = decoder(Event)
    for event in events:
        decode(json.dumps(event).encode(), 2**62)
    assert len({event["event_id"] for event in events}) == len(events) == 128
    again = [payload.translate(record).events[0]["event_id"] for record in records("litellm.jsonl.gz")]
    assert set(again) == {event["event_id"] for event in events}


def test_times_are_seconds_and_durations_become_milliseconds(calls):
    """A streamed call has its whole duration, not the time to its first token, which is beside it."""
    _, event = told(calls, "stream")
    assert event["time_unix_nano"] // 1_000_000_000 == 1_795_777_348
    assert event["duration_ms"] == pytest.approx(253.6, abs=0.1)
    assert event["time_to_first_chunk_ms"] == pytest.approx(200.8, abs=0.1)


def test_zeros_of_a_failed_call_are_not_known(calls):
    """Tokens and cost of a call that failed are left out, but those of a stream that broke are kept."""
    _, blocked = told(calls, "cf_post_block")
    assert not {"usage_input_tokens", "usage_output_tokens", "cost_usd"} & set(blocked)
    _, broken = told(calls, "stream_midfail")
    assert (broken["usage_input_tokens"], broken["usage_output_tokens"]) == (14, 8)


def test_an_answer_from_the_cache_used_no_tokens(calls):
    """What LiteLLM repeats from the call that was cached is not counted again."""
    _, hit = told(calls, "cached_hit")
    assert not any(name.startswith("usage_") for name in hit)
    assert (hit["cost_usd"], hit["labels"]["cache_hit"]) == (0.0, "true")


def test_a_call_that_the_gateway_turned_away_reached_no_model(calls):
    """The deployment that the payload names was never called."""
    for scenario in ("bad_key", "key_model_denied", "budget_exceeded", "unknown_model"):
        _, event = told(calls, scenario)
        assert not {"request_model", "response_model", "provider_name"} & set(event), scenario
        assert event["error_type"]


def test_guards_of_one_request_count_once_over_its_attempts(calls):
    """The records that LiteLLM copies into a failed attempt stay with the attempt that answered."""
    for scenario in ("guard_with_retry", "guard_with_fallback"):
        call = next(each["calls"][0] for each in TRUTH if each["scenario"] == scenario)
        assert [len(each.events[0].get("guards", [])) for each in calls[call]] == [0, 1]


def test_what_says_nothing_of_its_own_is_unknown_and_warned_of(calls):
    """A bare word is written for a guard that failed open too: it is no clean pass, and the warning says so."""
    for scenario in ("generic_open_error", "cust_failopen", "armor_open_error", "presidio_mask_error"):
        translation, _ = told(calls, scenario)
        assert any("failed open" in warning for warning in translation.warnings), scenario


def test_a_verdict_that_was_not_recorded_is_made_from_the_error(calls):
    """An output that a guard stopped without a post-call record has its block, and a warning."""
    translation, event = told(calls, "azure_text_post_block")
    assert [guard["layer"] for guard in event["guards"] if guard.get("action") == "blocked"] == ["output"]
    assert any("left no record" in warning for warning in translation.warnings)


def test_what_a_guard_found_is_in_our_codes(calls):
    """Findings have the category of the contract beside the guard's own word, whoever's guard it was."""
    wanted = {
        "cf_block_category": "content.ssh", "cf_block_ssn": "sec.data_leakage.pii",
        "lakera_block_flag": "sec.jailbreak", "bedrock_post_block": "content.vcr",
        "openai_mod_flag": "content.vcr", "presidio_mask_card": "sec.data_leakage.pii",
    }  # fmt: skip
    for scenario, category in wanted.items():
        _, event = told(calls, scenario)
        found = [one["category"] for guard in event["guards"] for one in guard.get("findings", [])]
        assert category in found, scenario


def test_blank_means_absent(calls):
    """LiteLLM writes "" for what it does not know; no field of ours holds it."""
    for call in calls.values():
        for each in call:
            assert "" not in each.events[0].values()


def test_no_text_of_people_is_taken_over(calls):
    """Prompts, answers, matched words and error texts stay behind, and are named as dropped."""
    for call in calls.values():
        for each in call:
            assert not any(word in json.dumps(each.events) for word in ("capital of France", "blockme", "badword"))
    assert "messages" in told(calls, "success")[0].dropped


def test_the_old_log_is_read_as_far_as_it_goes():
    """Values that are Python's text give times, tokens, refusals and models, and a warning of all that is missing."""
    found = [payload.translate(record) for record in records("litellm_v1.jsonl.gz")]
    events = [each.events[0] for each in found]
    assert [event["outcome"] for event in events].count("refused") == 1
    assert {(event["usage_input_tokens"], event["usage_output_tokens"]) for event in events} == {(14, 8)}
    assert events[1]["user_pseudo_id"] == "end-user-7"
    assert all("generic_api_use_v1" in each.warnings[0] for each in found)


def test_a_refusal_that_litellm_calls_a_filter_is_a_refusal():
    """Anthropic's refusals come as finish reason content_filter; of other providers that is their filter."""
    base = {
        "litellm_call_id": "c", "call_type": "acompletion", "status": "success", "startTime": 1770000000.5,
        "response": {"choices": [{"finish_reason": "content_filter", "message": {"content": "", "refusal": None}}]},
    }  # fmt: skip
    assert payload.translate(base | {"custom_llm_provider": "anthropic"}).events[0]["outcome"] == "refused"
    assert payload.translate(base | {"custom_llm_provider": "openai"}).events[0]["outcome"] == "filtered"
