"""Who stopped a call, told from a vendor's own words: why its choices ended, and of what type its error is."""

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from schemas.vendors.words import table
from schemas.vocabulary import ERROR_OUTCOMES

Ranks = npt.NDArray[np.int64]

RANK: Final = {"": 0, "refused": 1, "filtered": 2, "blocked": 3}
"""How hard a call was stopped: of several choices the hardest stands for it."""

_OF_NORM: Final = {"content_filter": "filtered", "refusal": "refused"}


@cache
def _reasons() -> dict[str, str]:
    """Return outcomes by the vendors' reasons for an end: what a guard of theirs stopped is blocked, else as ours."""
    words = table("outcomes")
    found = {
        _plain(native): _OF_NORM[ours]
        for name, natives in words.words.items()
        if name != "outcome"
        for native, ours in natives.items()
        if ours in _OF_NORM
    }
    return found | {_plain(native): one.verdict for native, one in words.verdicts["bedrock"].items()}


def _plain(word: str) -> str:
    return word.lower().replace("-", "_")


@cache
def outcome_of_reason(reason: str) -> str:
    """Return how a call ended of which a choice ended for this reason; nothing where nobody stopped it.

    >>> outcome_of_reason("FinishReason.SAFETY"), outcome_of_reason("guardrail_intervened"), outcome_of_reason("stop")
    ('filtered', 'blocked', '')
    """
    return _reasons().get(_plain(reason.rpartition(".")[2]), "")


@cache
def outcome_of_error(kind: str) -> str:
    """Return how a call ended that reports this type of error; nothing where it is an error like others.

    >>> outcome_of_error("agents.exceptions.InputGuardrailTripwireTriggered"), outcome_of_error("APITimeoutError")
    ('blocked', '')
    """
    return next((outcome for end, outcome in ERROR_OUTCOMES.items() if kind.lower().endswith(end)), "")


def stopped_by_error(column: pa.ChunkedArray) -> Ranks:
    """Return the rank of what each type of error stands for, 0 for errors like others."""
    kinds, found = _distinct(column)
    return np.array([*(RANK[outcome_of_error(kind)] for kind in kinds), 0], np.int64)[found]


def stopped_by_reason(norm: pa.ChunkedArray, reasons: pa.ChunkedArray) -> Ranks:
    """Return the rank of what the reasons of each call's choices stand for, 0 where nobody stopped any."""
    words, found = _distinct(norm)
    rank = _ranks(words)[found]
    if reasons.null_count < len(reasons):
        lists = reasons.combine_chunks()
        words, item = _distinct(pc.list_flatten(lists))
        ranks = _ranks(words)
        if ranks.any():
            np.maximum.at(rank, pc.list_parent_indices(lists).to_numpy().astype(np.int64), ranks[item])
    return rank


def _ranks(words: list[str]) -> Ranks:
    return np.array([*(RANK[outcome_of_reason(word)] for word in words), 0], np.int64)


def _distinct(column: pa.Array | pa.ChunkedArray) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Return the distinct words of a column, and where among them each row's is; -1 where it says nothing."""
    if column.null_count == len(column):
        return [], np.full(len(column), -1)
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    encoded = whole.cast(pa.string()).dictionary_encode()
    return encoded.dictionary.to_pylist(), pc.fill_null(encoded.indices, -1).to_numpy().astype(np.int64)
