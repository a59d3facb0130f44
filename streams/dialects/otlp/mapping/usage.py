"""Tokens with one meaning: input includes what a cache gave or took, output includes reasoning.

Emitters differ. Where a total is given, it tells which of the parts it was made of. Where none is, a part that is
larger than its whole is no part of it, and some scopes are known to leave cached tokens out (`cache_apart` in
`words.yaml`). What an emitter guessed, because a stream said nothing, cannot be told from what was counted.
"""

from typing import Any, Final

from streams.dialects.otlp.tables.words import CACHE_APART

_READ: Final = "usage_cache_read_input_tokens"
_WRITTEN: Final = "usage_cache_write_input_tokens"


def settle_usage(fields: dict[str, Any], scope: str, *, failed: bool) -> None:
    """Give the token counts of one call their one meaning, in place.

    Parameters
    ----------
    fields
        Of the call; `usage_total_tokens` is taken out, for it is no field of the contract.
    scope
        The instrumentation.
    failed
        Whether the call failed: zero tokens are then no count but its absence.

    >>> fields = {"usage_input_tokens": 176, "usage_cache_read_input_tokens": 1024, "usage_output_tokens": 350}
    >>> settle_usage(fields, "opentelemetry.instrumentation.botocore.bedrock-runtime", failed=False)
    >>> fields["usage_input_tokens"]
    1200
    """
    total = fields.pop("usage_total_tokens", None)
    read, written = fields.get(_READ) or 0, fields.get(_WRITTEN) or 0
    reasoning = fields.get("usage_reasoning_output_tokens") or 0
    asked, answered = fields.get("usage_input_tokens"), fields.get("usage_output_tokens")
    if asked and answered and not (read or written or reasoning):
        return
    if failed and not asked and not answered:
        for name in [name for name in fields if name.startswith("usage_")]:
            del fields[name]
        return
    if asked is not None and _apart(asked, read + written, scope, _rest(total, asked, answered, reasoning)):
        fields["usage_input_tokens"] = asked + read + written
    if answered is not None and reasoning and _left_out(answered, reasoning, _rest(total, asked, answered, 0)):
        fields["usage_output_tokens"] = answered + reasoning


def _rest(total: int | None, asked: int | None, answered: int | None, reasoning: int) -> set[int] | None:
    """Return what a total has besides input and output; both answers where reasoning may be in it or not."""
    if total is None or asked is None or answered is None:
        return None
    return {total - asked - answered, total - asked - answered - reasoning}


def _apart(asked: int, cached: int, scope: str, rest: set[int] | None) -> bool:
    if not cached:
        return False
    if rest is not None:
        return cached in rest
    return cached > asked or scope.startswith(CACHE_APART)


def _left_out(answered: int, reasoning: int, rest: set[int] | None) -> bool:
    return reasoning in rest if rest is not None and 0 not in rest else reasoning > answered
