"""Signatures are verified as RFC 8032 says, and as a library that is not ours does."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from streams.audit.ed25519 import verified

VECTORS = {
    "test 1": (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", b"",
        ("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b"),
    ),
    "test 2": (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", b"\x72",
        ("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
        "387b2eaeb4302aeeb00d291612bb0c00"),
    ),
    "test 3": (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", b"\xaf\x82",
        ("6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
        "4a7c15e9716ed28dc027beceea1ec40a"),
    ),
}  # fmt: skip
"""Of RFC 8032, section 7.1: public key, message, signature."""

ORDER = 2**252 + 27742317777372353535851937790883648493


def by_library(public, message, signature):
    """Return what the library says."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


@pytest.mark.parametrize("name", VECTORS)
def test_the_vectors_of_the_standard_are_verified(name):
    """Each holds, and none does for another message."""
    public, message, signature = VECTORS[name]
    assert verified(bytes.fromhex(public), message, bytes.fromhex(signature))
    assert not verified(bytes.fromhex(public), message + b"x", bytes.fromhex(signature))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=300), st.data())
def test_it_says_what_the_library_says(seed, message, data):
    """A signature that the library makes holds; with any bit of it, of the key or the message turned, both say no."""
    private = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = private.public_key().public_bytes_raw(), private.sign(message)
    assert verified(public, message, signature)
    whole = bytearray(public + signature + message)
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    bent = bytes(whole[:32]), bytes(whole[96:]), bytes(whole[32:96])
    assert verified(*bent) is by_library(*bent) is False


def test_a_signature_has_one_form():
    """Another number that is the same by the order of the group, and lengths that are none, are refused."""
    public, message, signature = (bytes.fromhex(each) if isinstance(each, str) else each for each in VECTORS["test 3"])
    same = signature[:32] + (int.from_bytes(signature[32:], "little") + ORDER).to_bytes(32, "little")
    for given_key, given_signature in ((public, same), (public, signature[:-1]), (public[:-1], signature), (b"", b"")):
        assert not verified(given_key, message, given_signature)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=64, max_size=64))
def test_nothing_that_a_key_or_a_signature_may_hold_breaks_it(public, signature):
    """Bytes of chance are a signature only where the library says so too: there are keys that sign everything."""
    assert verified(public, b"x", signature) <= by_library(public, b"x", signature)
