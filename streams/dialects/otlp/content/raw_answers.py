"""Whole answers of providers, as some spans carry them: only how they ended is read, the rest is passed over."""

from typing import Any, Final

from msgspec import Struct

from streams.dialects.otlp.tables.readers import structure

_ENDINGS: Final = frozenset(
    {"finish_reason", "finishReason", "stop_reason", "stopReason", "block_reason", "blockReason"}
)
_REFUSED: Final = frozenset({"refusal"})
_MAX_DEPTH: Final = 10
_MAX_NODES: Final = 5_000


class Ending(Struct):
    """How an answer ended, as its provider said it."""

    reasons: list[str]
    refusal: bool = False


def ending_of(value: Any) -> Ending:
    """Return the finish reasons and refusals that a provider's answer holds.

    Parameters
    ----------
    value
        The answer as JSON, as the text form of a Python value, or structured. A text that is neither says nothing.

    >>> ending_of('{"choices": [{"finish_reason": "stop", "message": {"refusal": "No."}}]}')
    Ending(reasons=['stop'], refusal=True)
    >>> ending_of('{"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}').reasons
    ['content_filter']
    """
    ending = Ending([])
    stack = [(structure(value), 0)]
    for _ in range(_MAX_NODES):
        if not stack:
            break
        item, depth = stack.pop()
        if isinstance(item, dict):
            _look(item, ending)
            children = list(item.values())
        elif isinstance(item, list):
            children = item
        else:
            continue
        if depth < _MAX_DEPTH:
            stack.extend((child, depth + 1) for child in reversed(children) if isinstance(child, dict | list))
    return ending


def _look(item: dict[Any, Any], ending: Ending) -> None:
    details = item.get("incomplete_details")
    if isinstance(details, dict) and isinstance(reason := details.get("reason"), str):
        ending.reasons.append(reason)
    for key in _ENDINGS & item.keys():
        if isinstance(reason := item[key], str) and reason and len(reason) <= 256:
            ending.reasons.append(reason)
    if item.get("type") == "refusal" or (isinstance(item.get("refusal"), str) and item["refusal"]):
        ending.refusal = True
