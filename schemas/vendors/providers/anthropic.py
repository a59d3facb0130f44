"""Anthropic: messages that its classifiers or its model refused."""

from typing import Any, Final, Unpack

from ...guards import GuardFinding, GuardResult
from ..reading import Node
from ..results import Given, Judged, finding, guard_results
from ..words import Opinion, table

_TABLE: Final = table("anthropic")
_STOPPED: Final = Opinion("block", "blocked")


def guards_from_anthropic(response: Any, **given: Unpack[Given]) -> list[GuardResult]:
    """Return what was refused: the hazard where Anthropic names one, and the refusal itself.

    Parameters
    ----------
    response
        A message, or the `delta` of the event that ends a stream, as it came. An ordinary answer gives no result.
    given
        What the caller knows.

    Raises
    ------
    ValueError
        Where the response has another shape.

    Examples
    --------
    >>> [result] = guards_from_anthropic({"stop_reason": "refusal", "stop_details": {"category": "bio"}})
    >>> [found.category for found in result.findings]
    ['content.iwp', 'qual.refusal']
    """
    root = Node(response, "anthropic")
    message = root.get("delta") or root
    if message.get("stop_reason").word() != "refusal":
        return []
    native = message.get("stop_details").get("category").word()
    judged = [Judged(_STOPPED, finding(_TABLE, "anthropic_refusal", native))] if native else []
    refusal = GuardFinding(category="qual.refusal", native_category="refusal", native_taxonomy="anthropic_stop_reason")
    return guard_results(
        _TABLE, [*judged, Judged(_STOPPED, refusal)], given, guard_name="anthropic", guard_provider="anthropic",
        layer="output", native_id=root.get("id").word(),
        native_result_type="stop_reason", native_result_value="refusal",
    )  # fmt: skip
