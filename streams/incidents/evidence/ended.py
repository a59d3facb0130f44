"""When the harm of an incident ended, from the windows between its onset and the proof that it is over."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from schemas.fields import NANO


class Ended(NamedTuple):
    """Unix nanoseconds of the estimated end, and of the bounds of its 95 per cent interval."""

    at: int
    lower: int
    upper: int


def ended(rows: Iterable[dict[str, Any]]) -> Ended | None:
    """Return when the last of some risen rates went back; None where none of them did.

    A rate changed somewhere in the cell before the one that shows it, so the interval begins with that one.

    Parameters
    ----------
    rows
        Their trials and flagged by `metric` and `at`, Unix seconds, in this order.
    """
    from detectors.rates.ending import ending  # scipy weighs more than all else here, and most days have no end

    found = []
    for _, cells in groupby(rows, key=lambda row: str(row["metric"])):
        at, trials, flagged = np.array(
            [(int(row["at"]), int(row["trials"]), int(row["flagged"])) for row in cells], float
        ).T
        back = ending(trials, np.minimum(flagged, trials), np.append(np.diff(at), 60.0))
        if back is not None:
            cells_of = (back.at, back.first - 1, back.last)
            found.append(Ended(*(int(at[cell]) * NANO for cell in cells_of)))
    return max(found, default=None)
