"""The dialects that are known, and which of them a record is in: by its shape, never by where it came from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from streams.dialects import canonical, spans
from streams.dialects.exports import bedrock, langfuse, langsmith
from streams.dialects.gateways import apisix, cloudevents, kong
from streams.dialects.litellm import payload as litellm
from streams.dialects.translation import Translation
from streams.dialects.vendors import answers, guards, mcp

Record = dict[str, Any]
"""A record as JSON; only OTLP is also known as bytes."""


class UnknownDialectError(ValueError):
    """A record that is in no dialect, or a dialect that nobody has; the message says what there is."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """A way of writing telemetry down.

    Parameters
    ----------
    name
        As `Translation.dialect` has it.
    knows
        Whether a record is in it, by its shape alone.
    read
        The translation of a record that is known.
    """

    name: str
    knows: Callable[[Record], bool]
    read: Callable[[Record], Translation]

    def translate(self, record: Any) -> Translation:
        """Return a record in the words of the contract. The same record gives the same events.

        Any object is taken for `canonical` where that is asked: the contract then says what it lacks.

        Raises
        ------
        UnknownDialectError
            Where the record is of another shape.
        ValueError
            Where a part of it is not what it has to be; the message says which.
        """
        if isinstance(record, bytes):
            if self.name != spans.NAME:
                raise UnknownDialectError(f"bytes that are no JSON are not {self.name}")
        elif not (isinstance(record, dict) and (self.name == canonical.NAME or self.knows(record))):
            raise UnknownDialectError(
                f"the record has not the shape of {self.name}; leave --dialect out to see what fits"
            )
        return self.read(record)


DIALECTS: Final = (
    *(
        Dialect(module.NAME, module.knows, module.translate)
        for module in (canonical, cloudevents, litellm, kong, apisix, bedrock, langsmith, langfuse)
    ),
    Dialect(spans.NAME, spans.knows, spans.translate_record),
    Dialect(mcp.NAME, mcp.knows, mcp.translate),
    Dialect(guards.NAME, guards.knows, guards.translate),
    Dialect(answers.NAME, answers.knows, answers.translate),
)
"""In the order in which they are asked: what names itself first, what is only looked like last."""


def dialect_named(name: str) -> Dialect:
    """Return a dialect by its name.

    Raises
    ------
    UnknownDialectError
        Where none has that name.
    """
    for dialect in DIALECTS:
        if dialect.name == name:
            return dialect
    raise UnknownDialectError(f"no dialect is called {name!r}; take one of {', '.join(_names())}")


def dialect_of(record: Any) -> Dialect:
    """Return the first dialect that knows a record.

    Raises
    ------
    UnknownDialectError
        Where none does.
    """
    if isinstance(record, bytes):
        return dialect_named(spans.NAME)
    if not isinstance(record, dict):
        raise UnknownDialectError(f"a record is a JSON object, this is {type(record).__name__}")
    for dialect in DIALECTS:
        if dialect.knows(record):
            return dialect
    keys = ", ".join(sorted(map(str, record))[:8])
    raise UnknownDialectError(
        f"no dialect fits an object with the keys {keys or 'of none'}; known are {', '.join(_names())}"
    )


def _names() -> list[str]:
    return [dialect.name for dialect in DIALECTS]
