"""Signatures of webhooks: what was signed is believed, nothing else is, and the standard's own library agrees."""

import time
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from schemas.signature import WEBHOOK_SIGNATURE, WEBHOOK_TIME, verify_webhook, webhook_headers, webhook_key

NOW = 1_770_000_000
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"  # noqa: S105 - the one of the standard's own examples
OTHER = "whsec_" + "QUJD" * 8
IDS = st.text("abcdef0123456789-_", min_size=1, max_size=40)


def test_the_example_of_the_standard_is_signed_as_there():
    """Id, time, body and signature are those that the standard's libraries are tested with."""
    headers = webhook_headers(b'{"test": 2432232314}', SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330)
    assert headers[WEBHOOK_SIGNATURE] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@given(st.text(), IDS, st.integers(0, 2**32))
def test_the_library_signs_the_same(body, delivery_id, unix):
    """Whatever the body, id and time."""
    theirs = Webhook(SECRET).sign(delivery_id, datetime.fromtimestamp(unix, UTC), body)
    assert webhook_headers(body.encode(), SECRET, delivery_id, unix)[WEBHOOK_SIGNATURE] == theirs


@given(st.text(), IDS)
def test_the_library_believes_what_we_sign_now(body, delivery_id):
    """And refuses the same with another body."""
    headers = webhook_headers(body.encode(), SECRET, delivery_id, int(time.time()))
    Webhook(SECRET).verify(body, headers, json_parse=False)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body + " ", headers, json_parse=False)


@given(st.binary(), IDS, st.integers(-300, 300))
def test_what_was_signed_is_believed(body, delivery_id, skew):
    """Any body within the tolerance, however the names of the headers are written."""
    headers = webhook_headers(body, SECRET, delivery_id, NOW)
    assert verify_webhook(body, headers, SECRET, NOW + skew)
    assert verify_webhook(body, {name.title(): value for name, value in headers.items()}, SECRET, NOW + skew)


@given(st.binary(), st.binary(), IDS, st.integers(0, 2**31))
def test_nothing_else_is_believed(body, other, delivery_id, moment):
    """Another body, id, secret or signed time, and an old one: none is believed."""
    headers = webhook_headers(body, SECRET, "right", NOW)
    assert verify_webhook(other, headers, SECRET, NOW) == (other == body)
    assert verify_webhook(body, headers | {"webhook-id": delivery_id}, SECRET, NOW) == (delivery_id == "right")
    assert verify_webhook(body, headers | {WEBHOOK_TIME: str(moment)}, SECRET, moment) == (moment == NOW)
    assert not verify_webhook(body, headers, OTHER, NOW)
    assert not verify_webhook(body, headers, SECRET, NOW + 301)


@given(st.dictionaries(st.sampled_from(["webhook-id", WEBHOOK_TIME, WEBHOOK_SIGNATURE]), st.text()))
@example({"webhook-id": "a", WEBHOOK_TIME: "9" * 5_000, WEBHOOK_SIGNATURE: "v1,\ud800"})
def test_no_header_is_an_error(headers):
    """Any text may stand in a header, or none."""
    assert not verify_webhook(b"{}", headers, SECRET, NOW)


def test_a_secret_can_be_changed():
    """While it is changed a header may hold several signatures, of which one must fit; unknown schemes are ignored."""
    old, new = (webhook_headers(b"{}", secret, "d", NOW) for secret in (SECRET, OTHER))
    both = old | {WEBHOOK_SIGNATURE: f"v1a,x {old[WEBHOOK_SIGNATURE]} {new[WEBHOOK_SIGNATURE]}"}
    assert verify_webhook(b"{}", both, SECRET, NOW)
    assert verify_webhook(b"{}", both, OTHER, NOW)
    assert not verify_webhook(b"{}", both, "whsec_" + "REVG" * 8, NOW)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "s3cret", "QUJD" * 8, "whsec_" + "QUJD" * 7, "whsec_" + "QUJD" * 22, "whsec_" + "?" * 32]
)
def test_a_secret_that_proves_little_is_refused_with_how_to_make_one(secret):
    """Empty, plain, short, long and broken ones sign nothing."""
    with pytest.raises(ValueError, match="openssl rand"):
        webhook_key(secret)
