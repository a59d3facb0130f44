"""What is said about a span beside its attributes: events inside of it, and log records that name it."""

from collections.abc import Callable
from typing import Any, Final

from msgspec import Struct, field

from streams.dialects.otlp.content.messages import Message, spoken
from streams.dialects.otlp.mapping.calls import call_fields, measured
from streams.dialects.otlp.mapping.verdicts import evaluation_of, guard_of
from streams.dialects.otlp.records import Attributes
from streams.dialects.otlp.rules import Rules
from streams.dialects.otlp.tables.aliases import said_of
from streams.dialects.otlp.tables.readers import plain
from streams.dialects.otlp.tables.words import NO_ROLE, OPERATIONS, outcome_of_error


class Extra(Struct, kw_only=True, gc=False):
    """An addition to a span.

    Parameters
    ----------
    fields
        Of a call; they fill what the span leaves out.
    reasons
        How choices ended, one each.
    guards
        Results of guards or evaluations.
    response_id
        Of the answer that was judged.
    whole
        Whether the call can be told from this alone.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    guards: list[dict[str, Any]] = field(default_factory=list)
    refused: bool = False
    fault: str = ""
    error_type: str = ""
    response_id: str = ""
    whole: bool = False


def extra_of(name: str, attributes: Attributes, body: Any, rules: Rules) -> Extra | None:
    """Return what an event says, None for one of no interest.

    Parameters
    ----------
    name
        Of the event.
    attributes, body
        The body may hold what later emitters put into attributes.
    rules
        Whether texts stay.
    """
    read = _READERS.get(name)
    if read is None:
        return None
    inside = {str(key): value for key, value in body.items()} if isinstance(body, dict) else {}
    return read(inside | attributes, rules)


def _choice(about: Attributes, rules: Rules) -> Extra:
    """Read one choice of an answer; strands puts it into attributes, others into the body."""
    message = about.get("message", about.get("content"))
    answer = spoken(message, "assistant")
    reason = about.get("finish_reason")
    refused = any(one.refusal for one in answer) or (isinstance(message, dict) and bool(message.get("refusal")))
    return Extra(
        reasons=[reason] if isinstance(reason, str) and reason else [],
        refused=refused,
        fields=measured([], answer, "", rules),
    )


def _message(role: str) -> Callable[[Attributes, Rules], Extra]:
    """Return the reader of a message of the prompt; the last of the user's stands."""

    def read(about: Attributes, rules: Rules) -> Extra:
        found = spoken([{"role": role, "content": about.get("content")}], role)
        return Extra(fields=measured([Message(role, one.text) for one in found if one.text], [], "", rules))

    return read


def _details(about: Attributes, rules: Rules) -> Extra:
    said = said_of(about)
    fields = said.fields
    role = OPERATIONS.get(plain(str(fields.get("operation", ""))), NO_ROLE)
    if role.name not in ("call", ""):
        return Extra()
    found, refused = call_fields(role, said, rules)
    return Extra(fields=found, refused=refused, whole=bool(role.name), error_type=fields.get("error_type", ""))


def _evaluation(about: Attributes, rules: Rules) -> Extra:
    fields = said_of(about).fields
    return Extra(guards=[evaluation_of(fields, "")], response_id=fields.get("response_id", ""))


def _guardrail(about: Attributes, rules: Rules) -> Extra:
    fields = said_of(about).fields
    result = guard_of(fields, "", failed="error_type" in fields, fault="", latency_ms=None)
    return Extra(guards=[result], response_id=fields.get("response_id", ""))


def _exception(about: Attributes, rules: Rules) -> Extra:
    fields = said_of(about).fields
    kind, message = fields.get("error_type", ""), str(about.get("exception.message", ""))
    return Extra(error_type=kind.rsplit(".", 1)[-1], fault=outcome_of_error(kind, message[:4000]) or "")


_READERS: Final[dict[str, Callable[[Attributes, Rules], Extra]]] = {
    "gen_ai.choice": _choice,
    "gen_ai.user.message": _message("user"),
    "gen_ai.system.message": _message("system"),
    "gen_ai.client.inference.operation.details": _details,
    "gen_ai.content.prompt": _details,
    "gen_ai.content.completion": _details,
    "gen_ai.evaluation.result": _evaluation,
    "guard.evaluation": _guardrail,
    "gen_ai.guardrail.result": _guardrail,
    "exception": _exception,
    "gen_ai.client.operation.exception": _exception,
}
"""By the name of the event."""
