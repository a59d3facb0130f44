"""What whoever runs the translation decides is done: text, users, tenants, origin."""

import json

import pytest

from schemas.pseudonyms import PATTERN, pseudonym
from streams.dialects.otlp import Rules, translate
from streams.dialects.otlp.records import Origin
from streams.normalise.outgoing import outgoing
from streams.settings import load
from tests.support.otlp import span

CHAT = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "m",
    "gen_ai.system_instructions": '[{"type": "text", "content": "Be kind."}]',
    "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "Hello"}]},'
    ' {"role": "assistant", "parts": [{"type": "text", "content": "Yes?"}]},'
    ' {"role": "user", "parts": [{"type": "text", "content": "Who?"}]}]',
    "gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "Me, myself"}]}],
}
A = "a" * 16


def only(rules, **given):
    (event,) = translate([span(A, **given)], rules=rules).events
    return event


def test_text_is_measured_and_dropped_and_kept_only_on_demand():
    """Length and hash of the last thing the user said, and of the answer, stay; the text only where it is asked for."""
    event, kept = only(None, attributes=CHAT), only(Rules(keep_text=True), attributes=CHAT)
    assert (event["input_chars"], event["output_chars"], event["capture_mode"]) == (4, 10, "hashed")
    assert event["system_hash"].startswith("sha256:")
    assert "input_text" not in event
    assert (kept["input_text"], kept["output_text"], kept["capture_mode"]) == ("Who?", "Me, myself", "full")
    assert {key: kept[key] for key in event if key != "capture_mode"} == {
        key: value for key, value in event.items() if key != "capture_mode"
    }


def test_hashes_have_a_key_where_there_is_one():
    """With a key nobody who lacks it can guess texts or users from their hashes."""
    rules = Rules(hash_key=b"k", user_key=b"0123456789abcdef")
    plain, keyed = only(None, attributes=CHAT), only(rules, attributes=CHAT, user__id="u-1")
    assert keyed["input_hash"].startswith("hmac-sha256:")
    assert keyed["input_hash"][-64:] != plain["input_hash"][-64:]
    assert keyed["user_pseudo_id"] == pseudonym("u-1", b"0123456789abcdef")
    assert plain.get("user_pseudo_id") is None


@pytest.mark.parametrize(("user", "kept"), [("u-1", True), ("ann@example.org", False)])
def test_a_user_that_is_an_address_has_a_pseudonym_in_any_case(user, kept, tmp_path):
    """On its way to Kafka an id of the service's own stays; a keyed pseudonym stands for an e-mail address."""
    event = only(None, attributes=CHAT, user__id=user)
    [sent], refused = outgoing(load(data_dir=tmp_path), [event], event["time_unix_nano"], ("mark", b""))
    said = json.loads(sent.value)["user_pseudo_id"]
    assert not refused
    assert said == user if kept else PATTERN.fullmatch(said)
    assert b"ann@" not in sent.value + (sent.key or b"") or kept


def test_the_tenant_is_what_the_named_attribute_says():
    """Of the resource first, else of the span; nothing where it is not named."""
    rules = Rules(tenant_attribute="team")
    made = span(A, attributes=CHAT | {"team": "red"})
    assert translate([made], rules=rules).events[0]["tenant_id"] == "red"
    made.origin.resource["team"] = "blue"
    assert translate([made], rules=rules).events[0]["tenant_id"] == "blue"
    assert "tenant_id" not in translate([made]).events[0]


def test_the_resource_says_service_version_and_environment():
    """As the conventions name them, the older name of the environment too; a service without a name has none."""
    origin = Origin({"service.name": "shop", "service.version": "1", "deployment.environment": "test"}, "s", "", "url")
    made = span(A, attributes=CHAT)
    made = type(made)(*(getattr(made, name) for name in made.__struct_fields__[:-1]), origin)
    (event,) = translate([made]).events
    assert (event["service_name"], event["service_version"], event["environment"]) == ("shop", "1", "test")
    assert (event["source"], event["semconv_schema_url"]) == ("otlp/s", "url")


def test_what_is_dropped_is_named_and_not_repeated():
    """Attributes without a place, and those that hold text, are listed by name."""
    told = translate([span(A, attributes=CHAT | {"shop.basket": "three pears"})])
    assert {"shop.basket", "gen_ai.input.messages"} <= set(told.dropped)
    assert "gen_ai.request.model" not in told.dropped
    assert "pears" not in repr(told)
