"""Names made of parts: no two lists of parts share one, whatever separators the parts hold."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from schemas.identity import identity, joined

texts = st.text("0123456789:/\x1f\0aä", max_size=12)
parts = st.lists(texts, max_size=5)


@given(one=parts, other=parts)
@example(one=["team", "chat/x"], other=["team/chat", "x"])
@example(one=["a", "1:b"], other=["a1:b"])
@example(one=[], other=[""])
def test_other_parts_give_another_name(one, other):
    """Two lists are joined to the same text, and have the same identity, only where they are the same list."""
    assert (joined(*one) == joined(*other)) == (one == other)
    assert (identity(*one) == identity(*other)) == (one == other)


@given(given_parts=parts)
def test_the_parts_can_be_read_back(given_parts):
    """What was joined tells its parts again, so nothing of them was lost."""
    text, found = joined(*given_parts), []
    while text:
        length, text = re.fullmatch(r"(\d+):(.*)", text, re.DOTALL).groups()
        found.append(text[: int(length)])
        text = text[int(length) :]
    assert found == given_parts
