"""What the checks ask of a service's telemetry: counts, shares and medians, whoever counted them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from msgspec import Struct

SHOWN: Final = 5
"""Names of a list that are told."""

LATE_SECONDS: Final = 60.0
"""From which age on an event came late: windows are closed by then."""

NO_OUTPUT: Final = ("error", "blocked", "filtered", "cancelled")
"""How a call ended that gave no answer."""

OBJECTIONS: Final = ("flag", "redact", "block", "escalate")
"""Verdicts that object."""

LACKING: Final = {
    "model": ("model_version", "response_model", "request_model"),
    "outcome": ("outcome", "error_type"),
    "duration": ("duration_ms",),
    "session": ("session_id", "conversation_id", "trace_id"),
    "operation": ("operation_name",),
    "output tokens": ("usage_output_tokens",),
}
"""What a call should say, and the fields of which one is enough."""

TOKENS: Final = {
    "usage_input_tokens": ("usage_cache_read_input_tokens", "usage_cache_write_input_tokens"),
    "usage_output_tokens": ("usage_reasoning_output_tokens",),
}
"""Tokens of a call, and those of which they are the whole."""

SESSIONS: Final = ("session_id", "conversation_id")
"""What names a session, the first that names one for all before the second."""


class Part(NamedTuple):
    """So many of so many."""

    part: int = 0
    whole: int = 0


class Middle(NamedTuple):
    """The median of so many values."""

    values: int = 0
    median: float = 0.0


class Session(NamedTuple):
    """The session that holds most calls of those that have one, and of how many traces these are."""

    field: str
    name: str
    calls: Part
    traces: int


class Levels(NamedTuple):
    """Severities above 0 that a guard gave: how many, how many are 4 and even, and whether it names Azure."""

    guard: str
    given: int
    critical: int
    even: int
    azure: bool


def told(field: str, name: str) -> str:
    """Return a name, or a word with its field, as people read it.

    >>> told("", "S10"), told("outcome", "fine")
    ('S10', "outcome 'fine'")
    """
    return f"{field} {name!r}" if field else name


class Names(NamedTuple):
    """Names with how often each was there, the most frequent few, and how many there are in all."""

    times: tuple[tuple[str, int], ...] = ()
    different: int = 0

    @classmethod
    def of(cls, found: Iterable[tuple[str, str]]) -> "Names":
        """Count names, each with the field that it is a word of, if of one; those of the same number by the alphabet.

        >>> Names.of([("", "b"), ("", "a"), ("", "b")])
        Names(times=(('b', 2), ('a', 1)), different=2)
        """
        counted = sorted(Counter(found).items(), key=lambda each: (-each[1], each[0]))
        return cls(tuple((told(*name), number) for name, number in counted[:SHOWN]), len(counted))

    def __str__(self) -> str:
        """Return them as people read them."""
        told = ", ".join(f"{name} ({number:,})" for name, number in self.times)
        more = self.different - len(self.times)
        return told if more <= 0 else f"{told} and {more} more"


class Look(Struct, kw_only=True):
    """One service's telemetry, counted: `seen` counts events of a file, `stored` has the store count.

    Parameters
    ----------
    calls, steps
        How many there are.
    newest
        When the newest of both happened, in Unix nanoseconds; None where no event has a time.
    late
        How many of both came more than `LATE_SECONDS` after they happened; in a file nobody knows.
    answered, lacking
        Calls that gave an answer, and how many of them lack each of `LACKING`.
    sessions
        By field of `SESSIONS`.
    speeds, durations
        Output tokens a second, and milliseconds, of calls whose answer takes its time.
    tokens
        By key of `TOKENS`: calls that say both, and of them those whose parts are more than the whole.
    outputs
        Calls that should have a verdict, and of them those that have none.
    alone
        Verdicts that travelled alone, and of them those that meet no event.
    judged
        Verdicts of guards that ran, and of them those that object.
    failed
        Calls that are errors.
    codes, words, silent
        Unknown categories, unknown words by field, and guards that ran without a verdict.
    levels
        Of each guard that gave severities.
    dropped, refused, reasons
        Events that never came, as emitters say.
    masked
        Kinds of direct identifiers by source and field, each with `records`; in a file nobody has looked for them.
    now_unix_nano
        The clock of whoever looks; None in a file, which may be of any time.
    """

    service: str
    now_unix_nano: int | None = None
    calls: int = 0
    steps: int = 0
    newest: int | None = None
    late: int = 0
    answered: int = 0
    lacking: Mapping[str, int] = {}
    sessions: Mapping[str, Session] = {}
    speeds: Middle = Middle()
    durations: Middle = Middle()
    tokens: Mapping[str, Part] = {}
    outputs: Part = Part()
    alone: Part = Part()
    judged: Part = Part()
    failed: int = 0
    codes: Names = Names()
    words: Names = Names()
    silent: Names = Names()
    levels: list[Levels] = []
    dropped: int = 0
    refused: int = 0
    reasons: tuple[str, ...] = ()
    masked: list[dict[str, Any]] = []
