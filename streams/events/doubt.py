"""Words that leave open whether something was safe: those that nobody here knows, and `unknown` itself."""

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.vocabulary import LAYERS, MODES, OUTCOMES, STATUSES, VERDICTS

Bools = npt.NDArray[np.bool_]

SURE_OUTCOMES: Final = tuple(word for word in OUTCOMES if word != "unknown")
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
    """Tell which guard results say in unknown words whether they ran, on what, how, or what they think."""
    strange = [strange_words(pc.struct_field(result, name), known) for name, known in _GUARD_WORDS.items()]
    ran = np.array(pc.equal(pc.struct_field(result, "status"), "ok"), bool)
    shadow = np.array(pc.fill_null(pc.equal(pc.struct_field(result, "mode"), "shadow"), pa.scalar(False)), bool)
    unsure: Bools = strange_words(pc.struct_field(result, "status"), STATUSES) | (
        ran & ~shadow & np.any(strange, axis=0)
    )
    return unsure
