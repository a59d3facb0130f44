"""Hashes of texts over columns against the same hash in plain Python."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from streams.events.hashing import hash_texts

ALL = 2**64 - 1


def mixed(key, salt):
    """Return splitmix64 of a key that is moved by its salt."""
    mix = (key + 0x9E3779B97F4A7C15 * (salt + 1)) & ALL
    mix = ((mix ^ (mix >> 30)) * 0xBF58476D1CE4E5B9) & ALL
    mix = ((mix ^ (mix >> 27)) * 0x94D049BB133111EB) & ALL
    return mix ^ (mix >> 31)


def plain(text):
    """Return the hash of one text: its length, then word by word of eight bytes."""
    data = text.encode()
    found = mixed(len(data), 0)
    for word, start in enumerate(range(0, len(data), 8)):
        found = mixed(found ^ int.from_bytes(data[start : start + 8], "little"), word)
    return found


@given(texts=st.lists(st.text(max_size=40), min_size=1, max_size=20), cut=st.integers(0, 19))
def test_a_text_has_the_same_hash_beside_any_others(texts, cut):
    """Whatever stands beside a text, and where in memory its column begins, and in every release."""
    column = pa.array(texts, pa.string()).slice(cut)
    assert hash_texts(column).tolist() == [plain(text) for text in texts[cut:]]
