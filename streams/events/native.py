"""Verdicts from what a guard itself said, where it gave none of ours: `schemas.native_verdicts` over columns."""

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from schemas.native_verdicts import NATIVE_BOOLEANS, NATIVE_VERDICTS, VERSION

MAPPING: Final = f"native-verdicts {VERSION}"
"""What a row says of itself where its verdict was derived here."""


def with_native_verdicts(result: pa.Array) -> pa.Array:
    """Return guard results with the verdicts and actions that their native values stand for, where they gave none."""
    native = pc.struct_field(result, "native_result_value")
    verdict = pc.struct_field(result, "verdict")
    if native.null_count == len(native) or not verdict.null_count:
        return result
    kinds = pc.struct_field(result, "native_result_type").to_pylist()
    silent = pc.is_null(verdict)
    derived = [_derived(kind, value) for kind, value in zip(kinds, native.to_pylist(), strict=True)]
    said = {
        "verdict": [verdict or None for verdict, _ in derived],
        "action": [action or None for _, action in derived],
        "mapping_version": [MAPPING if verdict else None for verdict, _ in derived],
    }
    columns = [
        pc.if_else(silent, pc.coalesce(column, pa.array(said[field.name], pa.string())), column)
        if field.name in said
        else column
        for field, column in zip(result.type, result.flatten(), strict=True)
    ]
    return pa.StructArray.from_arrays(columns, fields=list(result.type))


def _derived(kind: str | None, value: str | None) -> tuple[str, str]:
    """Return the verdict and action that a native value stands for; both empty where it says nothing that is known.

    >>> _derived("action", "GUARDRAIL_INTERVENED"), _derived("rail.stop", "true"), _derived(None, "0.7")
    (('block', 'blocked'), ('block', 'blocked'), ('', ''))
    """
    word = (value or "").strip().lower()
    known = NATIVE_BOOLEANS.get((kind or "").lower())
    if known is not None and word in ("true", "false"):
        return known if word == "true" else ("allow", "none")
    return NATIVE_VERDICTS.get(word, ("", ""))
