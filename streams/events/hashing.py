"""Stable 64-bit hashes of text columns, the same in every process and release."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

WORD = 8

UInt64s = npt.NDArray[np.uint64]

_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


def hash_texts(column: pa.Array) -> npt.NDArray[np.uint64]:
    """Hash each text of an Arrow string column without nulls.

    Parameters
    ----------
    column
        n texts.

    Returns
    -------
    numpy.ndarray
        n hashes; equal texts have equal hashes, whatever stands beside them.

    >>> a, b, again = hash_texts(pa.array(["a", "b", "a"]))
    >>> bool(a == again == hash_texts(pa.array(["much longer", "a"]))[1]), bool(a == b)
    (True, False)
    """
    if not len(column):
        return np.empty(0, np.uint64)
    _, offsets_buffer, data_buffer = column.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int32, len(column) + 1, column.offset * 4)
    length = np.diff(offsets)
    words = max(int(length.max()) + WORD - 1, WORD) // WORD
    padded = np.zeros((len(column), words * WORD), np.uint8)
    if data_buffer:  # texts lie one behind the other, so that their bytes fill their places row by row
        padded[np.arange(words * WORD) < length[:, None]] = np.frombuffer(data_buffer, np.uint8)[
            offsets[0] : offsets[-1]
        ]
    matrix = padded.view("<u8")
    result = mixed(length.astype(np.uint64), 0)
    for word in range(words):
        used = length > word * WORD
        result[used] = mixed(result[used] ^ matrix[used, word], word)
    return result


def mixed(keys: UInt64s, salt: int | UInt64s) -> UInt64s:
    """Return keys that differ by salt (splitmix64's finaliser, Steele, Lea and Flood 2014)."""
    with np.errstate(over="ignore"):
        mix = keys + _MIX * (np.asarray(salt, np.uint64) + np.uint64(1))
        mix = (mix ^ (mix >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mix = (mix ^ (mix >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    result: UInt64s = mix ^ (mix >> np.uint64(31))
    return result
