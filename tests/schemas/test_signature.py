"""Signatures: only the same bytes under the same key are ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.signature import sign, verify


@given(value=st.binary(), key=st.binary(min_size=1), at=st.integers(0), other=st.binary(min_size=1))
def test_a_signature_fits_its_bytes_and_key_alone(value, key, at, other):
    """Every message verifies under its key; a changed byte, another key or another text in its place does not."""
    signature = sign(value, key)
    assert verify(value, signature, key)
    changed = bytearray(value or b"x")
    changed[at % len(changed)] ^= 1
    assert not verify(bytes(changed), signature, key)
    if other.rstrip(b"\0") != key.rstrip(b"\0"):  # HMAC pads short keys with zeros
        assert not verify(value, sign(value, other), key) or len(key) > 64 or len(other) > 64


@given(st.text())
def test_any_text_may_stand_where_a_signature_should(text):
    """A header from a stranger is compared and never raises."""
    assert not verify(b"{}", text, b"k")


def test_an_empty_key_is_refused():
    """Without a key nothing is signed and nothing verified, and the message says what to set."""
    for use in (lambda: sign(b"", b""), lambda: verify(b"", "v1=", b"")):
        with pytest.raises(ValueError, match="WATCHKEEPER_CONTROL_KEY"):
            use()
