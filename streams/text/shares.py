"""Shares and their intervals in words: the one place that decides how they are written."""

from collections.abc import Callable
from typing import Final

NOT_KNOWN: Final = "not known"
NOISE: Final = 1e-12


def percent(share: float, digits: int = 2, space: str = "") -> str:
    """Return a share as a percentage; what rounds to nothing has no sign.

    >>> percent(0.0312), percent(-1e-17), percent(-0.0), percent(-0.25, 1), percent(0.5, space=" ")
    ('3.12%', '0.00%', '0.00%', '-25.0%', '50.00 %')
    """
    return f"{100 * share:z.{digits}f}{space}%"


def tenths(share: float) -> str:
    """Return a share as a percentage with one decimal.

    >>> tenths(0.0312)
    '3.1%'
    """
    return percent(share, 1)


def figures(number: float, places: int) -> str:
    """Return a number with so many significant figures; what is nothing but the noise of adding floats is 0.

    >>> figures(0.034567, 4), figures(-3.5e-17, 3), figures(-0.0, 3), figures(1234.5, 3), figures(-1.25e-6, 3)
    ('0.03457', '0', '0', '1.23e+03', '-1.25e-06')
    """
    return f"{0.0 if abs(number) < NOISE else number:,.{places}g}"


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
