"""Shares and their intervals in words: the one place that decides how they are written."""

from collections.abc import Callable
from typing import Final

NOT_KNOWN: Final = "not known"


def percent(share: float, digits: int = 2, space: str = "") -> str:
    """Return a share as a percentage; what rounds to nothing has no sign.

    >>> percent(0.0312), percent(-1e-17), percent(-0.0), percent(-0.25, 1), percent(0.5, space=" ")
    ('3.12%', '0.00%', '0.00%', '-25.0%', '50.00 %')
    """
    return f"{100 * share:z.{digits}f}{space}%"


def interval(
    lower: float | None, upper: float | None, form: Callable[[float], str] = percent, nothing: str = NOT_KNOWN
) -> str:
    """Return an interval; an open side is a question mark, and where both are, that is said once.

    >>> interval(-1e-18, 0.02), interval(None, 0.5), interval(None, None), interval(None, None, nothing="")
    ('0.00% to 2.00%', '? to 50.00%', 'not known', '')
    """
    if lower is None and upper is None:
        return nothing
    return " to ".join("?" if side is None else form(side) for side in (lower, upper))
