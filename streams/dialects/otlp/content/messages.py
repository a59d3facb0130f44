"""Messages of a prompt or an answer, in the many forms in which spans and logs carry them."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from msgspec import Struct

from streams.dialects.otlp.records import Attributes
from streams.dialects.otlp.tables.aliases import FLATTENED, Said, text_of
from streams.dialects.otlp.tables.readers import ABSENT, structure

MAX_MESSAGES: Final = 1_000
_TEXT_KEYS: Final = ("content", "text", "refusal", "result", "output_text")
_REFUSALS: Final = ("refusal", "output_refusal")


class Message(Struct, frozen=True, gc=False):
    """One message: who spoke, the text, whether it was a refusal, and how it ended."""

    role: str
    text: str
    refusal: bool = False
    finish_reason: str = ""


def messages_of(said: Said, side: str) -> list[Message]:
    """Return the messages of one side of a call, an empty list where none was captured.

    Parameters
    ----------
    said
        By a span, an event or a log record.
    side
        `input` or `output`.
    """
    if side in said.plan.flattened and (found := _flattened(said.attributes, side)):
        return found
    return spoken(text_of(said, side), "user" if side == "input" else "assistant")


def spoken(value: Any, role: str) -> list[Message]:
    """Return the messages that a value holds: a text, a message, or any nesting of them, structured or as JSON.

    Parameters
    ----------
    role
        Of those that name none.
    """
    return list(_read(structure(value), role)) if value else []


def _read(value: Any, role: str) -> Iterator[Message]:
    """Read what is a text, a message, a list of either, or an object that holds the messages."""
    if isinstance(value, str):
        if value.strip().lower() not in ABSENT:
            yield Message(role, value)
    elif isinstance(value, list):
        for item in value[:MAX_MESSAGES]:
            yield from _read(item, role)
    elif isinstance(value, dict):
        inner = value.get("messages") or value.get("choices") or value.get("generations") or value.get("message")
        if inner is not None and "parts" not in value:
            reason = _name(value.get("finish_reason"))
            yield from (_ended(message, reason) for message in _read(inner, role))
        elif _has_text(value) or "parts" in value or "role" in value:
            yield _message(value, role)


def _has_text(value: dict[str, Any]) -> bool:
    return any(key in value for key in _TEXT_KEYS)


def _ended(message: Message, reason: str) -> Message:
    return Message(message.role, message.text, message.refusal, message.finish_reason or reason)


def _message(value: dict[str, Any], role: str) -> Message:
    parts = value.get("parts") or value.get("content") or value.get("text") or []
    items = parts if isinstance(parts, list) else [parts]
    refusal = _name(value.get("refusal"))
    refused = bool(refusal) or any(isinstance(part, dict) and _refuses(part) for part in items)
    text = "".join(_part(part) for part in items) or refusal
    return Message(_name(value.get("role")) or role, text, refused, _name(value.get("finish_reason")))


def _refuses(part: dict[str, Any]) -> bool:
    return part.get("type") in _REFUSALS or bool(_name(part.get("refusal")))


def _part(part: Any) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, dict) or str(part.get("type", "text")) in ("tool_call", "tool_call_response", "reasoning"):
        return ""
    return next((text for key in _TEXT_KEYS if (text := _name(part.get(key)))), "")


def _name(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _flattened(attributes: Attributes, side: str) -> list[Message]:
    """Read `llm.input_messages.0.message.content` and its like, in the order of their numbers."""
    prefixes = tuple(FLATTENED[side])
    found: dict[int, dict[str, Any]] = {}
    for key, value in attributes.items():
        if key.startswith(prefixes):
            prefix = next(start for start in prefixes if key.startswith(start))
            number, _, rest = key[len(prefix) :].partition(".")
            if number.isdigit() and len(number) <= 4:
                _put(found.setdefault(int(number), {}), rest.removeprefix("message."), value)
    role = "user" if side == "input" else "assistant"
    return [_message(found[number], role) for number in sorted(found)]


def _put(message: dict[str, Any], rest: str, value: Any) -> None:
    if rest in ("role", "content", "refusal", "finish_reason"):
        message[rest] = value
    elif rest.endswith(".message_content.text"):
        message.setdefault("parts", []).append(value)


def last_of(messages: Iterable[Message], role: str) -> str:
    """Return the text of the last message of a role, empty where there is none."""
    return next((message.text for message in reversed(list(messages)) if message.role == role), "")
