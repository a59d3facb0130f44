"""How a quantity is put into the bins of `schemas.quantities`, and what a bin stands for."""

import numpy as np
import numpy.typing as npt

from schemas.quantities import BINS


def bin_of(values: npt.NDArray[np.float64], scale: str) -> npt.NDArray[np.int64]:
    """Return the bin of each value.

    >>> bin_of(np.array([0.0, 1.0, 2.0, 1000.0]), "log").tolist(), bin_of(np.array([0.0, 0.995, 1.0]), "unit").tolist()
    ([0, 0, 8, 79], [0, 99, 100])
    """
    raw = 8 * np.log2(np.maximum(values, 1)) if scale == "log" else 100 * values
    return np.clip(np.floor(raw), 0, BINS - 1).astype(np.int64)


def middle_of(bins: npt.NDArray[np.int64], scale: str) -> npt.NDArray[np.float64]:
    """Return the value in the middle of each bin.

    >>> middle_of(np.array([8, 79]), "log").round(1).tolist()
    [2.1, 980.6]
    """
    middle: npt.NDArray[np.float64] = np.exp2((bins + 0.5) / 8) if scale == "log" else (bins + 0.5) / 100
    return middle
