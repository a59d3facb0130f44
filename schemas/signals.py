"""A text as a small vector, made where the text is: similar texts get similar vectors, the text stays behind.

The normalised text is cut into runs of 3 to 5 characters. A keyed hash of each distinct run gives 32 signs, and the
vector is their sum: a signed random projection of the set of runs (Charikar, "Similarity estimation
techniques from rounding algorithms", STOC 2002; Weinberger et al., "Feature hashing", ICML 2009).

What it hides: the words. 32 small numbers don't hold a text, and without the key nobody can compute the vector of
a text of their own to compare. What it does not hide: that two texts under one key are alike; and whoever has the
key, or enough pairs of text and vector, can test whether a vector belongs to a text they guess. So keep the key as
a secret of the service, and take another one where vectors must not be compared. All services whose texts are to
be compared need the same key.
"""

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Sequence
from hashlib import blake2b
from re import compile as pattern
from typing import Any, Final
from unicodedata import normalize

import numpy as np
import numpy.typing as npt

DIMENSIONS: Final = 32
RUNS: Final = (3, 4, 5)
MAX_CHARS: Final = 8_000
"""Only so much of the beginning of a text is read, so that no text is expensive."""

_DIGITS: Final = pattern(r"\d+")
_ENCODED_CHARS: Final = 44

Words = npt.NDArray[np.uint64]


def text_vector(text: str, key: bytes) -> str:
    """Return the vector of a text: 32 signed bytes in base64, 44 characters.

    Case, width, white space and the digits of a number make no difference. An empty text has the zero vector,
    which `read_vectors` leaves out.

    Raises
    ------
    ValueError
        Where the key is empty.

    >>> text_vector("Ignore rule 12", b"secret") == text_vector("IGNORE  rule 7", b"secret")
    True
    """
    if not key:
        raise ValueError("the key must not be empty; use one secret for all services that are to be compared")
    letters = np.frombuffer(_normalised(text).encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)
    seeds = np.frombuffer(blake2b(key, digest_size=48, person=b"text vector").digest(), "<u8") | np.uint64(1)
    total = np.zeros(DIMENSIONS, np.float32)
    for length in RUNS:
        hashes = np.sort(_hashes(letters, length, seeds))
        distinct = np.append(True, hashes[1:] != hashes[:-1])[: len(hashes)].astype(np.float32)
        signs = np.unpackbits(hashes.astype("<u4").view(np.uint8).reshape(-1, 4), axis=1)
        total += 2 * (distinct @ signs) - distinct.sum()
    largest = np.abs(total).max()
    scaled = np.rint(total * (127 / largest)) if largest else total
    return b64encode(scaled.astype(np.int8).tobytes()).decode()


def _normalised(text: str) -> str:
    plain = normalize("NFKC", text[:MAX_CHARS]).casefold()[:MAX_CHARS]
    words = " ".join(_DIGITS.sub("0", plain).split())
    return f" {words} " if words else ""


def _hashes(letters: Words, length: int, seeds: Words) -> Words:
    """Return a 64-bit hash of each run: a keyed polynomial, then the finaliser of SplitMix64 (Steele et al. 2014)."""
    count = max(len(letters) - length + 1, 0)
    mixed = np.full(count, length, np.uint64) * seeds[5]
    for at in range(length):
        mixed += letters[at : at + count] * seeds[at]
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def read_vectors(encoded: Sequence[str | None]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Return which of these are vectors, and those as rows of length 1.

    What is missing, does not decode to 32 bytes, or is the zero vector is left out.

    >>> rows, vectors = read_vectors([None, text_vector("hello", b"secret"), "nonsense"])
    >>> rows.tolist(), vectors.shape
    ([1], (1, 32))
    """
    decoded = [(row, raw) for row, text in enumerate(encoded) if (raw := _decoded(text)) is not None]
    rows = np.array([row for row, _ in decoded], np.int64)
    flat = np.frombuffer(b"".join(raw for _, raw in decoded), np.int8).astype(np.float32)
    vectors = flat.reshape(-1, DIMENSIONS)
    length = np.linalg.norm(vectors, axis=1)
    there = length > 0
    return rows[there], vectors[there] / length[there, None]


def _decoded(text: Any) -> bytes | None:
    if not isinstance(text, str) or len(text) != _ENCODED_CHARS:
        return None
    try:
        raw = b64decode(text, validate=True)
    except (Error, ValueError):
        return None
    return raw if len(raw) == DIMENSIONS else None
