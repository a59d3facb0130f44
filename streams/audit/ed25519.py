"""Ed25519 as RFC 8032 has it, to verify with nothing but Python: slow, and secret from nobody, as it holds no secret.

Points of the curve are extended homogeneous coordinates (X, Y, Z, T), added by the formulas of RFC 8032, section 5.1.4.
"""

import hashlib
from typing import Final

ED25519: Final = "ed25519:"
"""What a public key, and a signature that it verifies, begin with as text; hexadecimal digits follow."""
_PRIME: Final = 2**255 - 19
_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, _PRIME) % _PRIME
_ROOT: Final = pow(2, (_PRIME - 1) // 4, _PRIME)
"""A square root of -1."""
_BASE_Y: Final = 4 * pow(5, -1, _PRIME) % _PRIME

_Point = tuple[int, int, int, int]


def numbers(text: str) -> bytes:
    r"""Return the bytes of a key or a signature; none where it is not spelled as it is written: a text has one form.

    >>> numbers("ed25519:0a"), numbers("ed25519:0A"), numbers("ed25519: 0a"), numbers("0a")
    (b'\n', b'', b'', b'')
    """
    try:
        found = bytes.fromhex(text.removeprefix(ED25519))
    except ValueError:
        return b""
    return found if text == ED25519 + found.hex() else b""


def verified(public: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether a signature (64 bytes) is that of a message by the owner of a public key (32 bytes).

    >>> public = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
    >>> one = ("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
    ...        "d25bf5f0595bbe24655141438e7a100b")
    >>> verified(public, b"", bytes.fromhex(one)), verified(public, b"x", bytes.fromhex(one))
    (True, False)
    """
    if len(public) != 32 or len(signature) != 64:
        return False
    owner, begun = _point(public), _point(signature[:32])
    answer = int.from_bytes(signature[32:], "little")
    if owner is None or begun is None or answer >= _ORDER:
        return False
    asked = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % _ORDER
    base = _point(_BASE_Y.to_bytes(32, "little"))
    assert base is not None  # noqa: S101
    left, right = _times(answer, base), _added(begun, _times(asked, owner))
    return all((left[at] * right[2] - right[at] * left[2]) % _PRIME == 0 for at in (0, 1))


def _added(one: _Point, other: _Point) -> _Point:
    a = (one[1] - one[0]) * (other[1] - other[0]) % _PRIME
    b = (one[1] + one[0]) * (other[1] + other[0]) % _PRIME
    c = 2 * one[3] * other[3] * _D % _PRIME
    d = 2 * one[2] * other[2] % _PRIME
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _PRIME, g * h % _PRIME, f * g % _PRIME, e * h % _PRIME


def _times(factor: int, point: _Point) -> _Point:
    found: _Point = 0, 1, 1, 0
    while factor:
        if factor & 1:
            found = _added(found, point)
        point, factor = _added(point, point), factor >> 1
    return found


def _point(data: bytes) -> _Point | None:
    """Return the point of 32 bytes; None where they are none."""
    packed = int.from_bytes(data, "little")
    odd, y = packed >> 255, packed & (1 << 255) - 1
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _PRIME) % _PRIME
    x = pow(square, (_PRIME + 3) // 8, _PRIME)
    if (x * x - square) % _PRIME:
        x = x * _ROOT % _PRIME
    if y >= _PRIME or (x * x - square) % _PRIME or (odd and not x):
        return None
    x = _PRIME - x if x & 1 != odd else x
    return x, y, 1, x * y % _PRIME
