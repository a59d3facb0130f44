"""Signatures: what was signed is believed, and nothing else."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.incidents.notify.signature import sign, verify

NOW = 1_770_000_000


@given(st.binary(), st.text(min_size=1), st.integers(-300, 300))
def test_what_was_signed_is_believed(body, secret, skew):
    """Any body and secret, within the tolerance, and by the definition of the header."""
    header = sign(body, secret, NOW)
    assert verify(body, header, secret, NOW + skew)
    assert header == f"t={NOW},v1=" + hmac.new(secret.encode(), b"%d.%s" % (NOW, body), hashlib.sha256).hexdigest()


@given(st.binary(), st.binary(), st.text(), st.integers(0, 2**31))
def test_nothing_else_is_believed(body, other, secret, moment):
    """Another body, another secret, another time in the header, an old one: none is believed."""
    header = sign(body, "right", NOW)
    assert verify(other, header, "right", NOW) == (other == body)
    assert verify(body, header, secret, NOW) == (secret == "right")  # noqa: S105
    assert verify(body, header.replace(str(NOW), str(moment)), "right", moment) == (moment == NOW)
    assert not verify(body, header, "right", NOW + 301)


@given(st.text())
def test_no_header_is_an_error(header):
    """Any text may stand in a header."""
    assert not verify(b"{}", header, "s", NOW)


def test_a_secret_can_be_changed():
    """While it is changed a header may hold several signatures, of which one must fit; unknown schemes are ignored."""
    old, new = sign(b"{}", "old", NOW), sign(b"{}", "new", NOW).split(",")[1]
    assert verify(b"{}", f"{old},{new}", "new", NOW)
    assert verify(b"{}", f"{old},v0=1", "old", NOW)
    assert not verify(b"{}", f"{old},{new}", "third", NOW)


@pytest.mark.parametrize("secret", [""])
def test_an_empty_secret_proves_nothing(secret):
    """Who forgot to set a secret believes nobody."""
    assert not verify(b"{}", sign(b"{}", secret, NOW), secret, NOW)
