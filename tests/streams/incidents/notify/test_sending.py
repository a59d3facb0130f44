"""What an answer means, and what of an address may be seen."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from streams.incidents.notify.secret import SecretError
from streams.incidents.notify.sending import LONGEST_REST, judge, shown, target
from streams.policy.receivers import Receiver

NOW = 1_770_000_000.0


@given(st.integers(100, 599), st.text(max_size=40))
@example(503, "Mon, 99 Feb 2026 99:00:00 GMT")
@example(503, "1" * 40)
@example(503, "Fri, 31 Dec 9999 23:59:59 -2359")
def test_any_answer_has_one_meaning(status, retry_after):
    """2xx is told; 408, 425, 429 and all that is no client error is tried again, after an hour at the latest."""
    outcome = judge(status, retry_after, NOW, "example.org")
    told, refused = 200 <= status < 300, 400 <= status < 500 and status not in (408, 425, 429)
    assert outcome.status == ("delivered" if told else "given_up" if refused else "failed")
    assert 0 <= outcome.wait <= LONGEST_REST


def test_retry_after_is_seconds_or_a_date():
    """Both forms of RFC 9110 are understood; a date that has passed is no wait."""
    date = format_datetime(datetime.fromtimestamp(NOW + 90, UTC), usegmt=True)
    assert judge(503, date, NOW, "x").wait == 90
    assert judge(503, date, NOW + 100, "x").wait == 0
    assert judge(429, "120", NOW, "x").wait == 120


@given(st.from_regex(r"[a-zA-Z0-9]{12,20}", fullmatch=True))
def test_what_is_shown_of_an_address_has_no_secret(secret):
    """Users, passwords, queries and fragments are never shown; paths are not where the address is a secret."""
    url = f"https://{secret}:{secret}@example.org:8443/hook?k={secret}#{secret}"
    assert shown(url, host_only=False) == "https://example.org:8443/hook"
    assert shown(f"https://example.org/{secret}", host_only=True) == "example.org"


@pytest.mark.parametrize("value", ["not an address", "ftp://example.org", "https://", "/etc/passwd"])
def test_a_secret_that_is_no_address_stops_the_start(monkeypatch, value):
    """A wrong secret is named by its name, not by what it holds."""
    monkeypatch.setenv("WATCHKEEPER_HOOK_URL", value)
    with pytest.raises(SecretError, match="the secret hook_url holds no address") as refused:
        target(Receiver(name="a", kind="webhook", url_from="hook_url"))
    assert value not in str(refused.value).replace("https:// or http://", "")


def test_a_secret_that_signs_nothing_stops_the_start(monkeypatch):
    """A webhook's secret of another form is named, never shown, and the message says how to make one."""
    monkeypatch.setenv("WATCHKEEPER_HOOK_KEY", "t0psecret")
    with pytest.raises(SecretError, match=r"the secret hook_key: .*openssl rand") as refused:
        target(Receiver(name="a", kind="webhook", url="https://example.org", secret_from="hook_key"))  # noqa: S106
    assert "t0psecret" not in str(refused.value)
