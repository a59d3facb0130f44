"""Words that leave open whether something was safe: those that nobody here knows, and `unknown` itself."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.vocabulary import LAYERS, MODES, OUTCOMES, STATUSES, STEP_STATUSES, VERDICTS

Bools = npt.NDArray[np.bool_]

SURE_OUTCOMES: Final = tuple(word for word in OUTCOMES if word != "unknown")
SURE_STEP_STATUSES: Final = tuple(word for word in STEP_STATUSES if word != "unknown")
_GUARD_WORDS: Final = {
    "layer": LAYERS,
    "mode": MODES,
    "verdict": tuple(word for word in VERDICTS if word != "unknown"),
}


def strange_words(column: pa.Array | pa.ChunkedArray, known: tuple[str, ...]) -> Bools:
    """Tell where a column holds a word that is not known; nothing is no word."""
    if column.null_count == len(column):
        return np.zeros(len(column), bool)
    return np.array(pc.invert(pc.is_in(pc.fill_null(column, ""), pa.array((*known, "")))), bool)


def unsure_results(result: pa.Array) -> Bools:
    """Tell which guard results say in unknown words whether they ran, on what, how, or what they think.

    One that ran and says nothing of what it thinks is unsure too; half a verdict without one is a failure instead.
    """
    strange = [strange_words(pc.struct_field(result, name), known) for name, known in _GUARD_WORDS.items()]
    status, verdict = pc.struct_field(result, "status"), pc.struct_field(result, "verdict")
    ran = np.array(pc.is_in(status, pa.array(("ok", "partial"))), bool)
    silent = np.array(pc.equal(status, "ok"), bool) & np.array(pc.is_null(verdict), bool)
    shadow = np.array(pc.fill_null(pc.equal(pc.struct_field(result, "mode"), "shadow"), pa.scalar(False)), bool)
    unsure: Bools = strange_words(status, STATUSES) | (~shadow & (silent | (ran & np.any(strange, axis=0))))
    return unsure
