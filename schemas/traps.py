"""Telemetry that the contract accepts and that most likely means something else: from where on it is taken for that.

`watchkeeper doctor` and `explain` say it with an advice; where it is beyond doubt, the hour of the service is not
trusted (view ``telemetry_traps``). What a service sends is never changed.
"""

from typing import Any, Final

ENOUGH: Final = 20
"""Events of a service below which a share says nothing."""

FASTEST: Final = 3_000.0
"""Output tokens a second of one call, beyond any model that is served: then the duration is in seconds."""

SHORTEST_MS: Final = 10.0
"""Median below which a model's answer of some length is not timed in milliseconds."""

ONE_SESSION: Final = 0.5
"""Share of a service's calls that one session may hold."""

SESSION_TRACES: Final = 100
"""Traces of one session in one hour: more than a person begins."""

APART: Final = 0.01
"""Share of calls with a cache, or with reasoning, that may have more of it than of all tokens."""

ANSWERS: Final = ("chat", "text_completion", "generate_content")
"""Operations that take time for each token that they write."""

VIEW_VALUES: Final[dict[str, Any]] = {
    "enough": ENOUGH,
    "fastest": FASTEST,
    "shortest_ms": SHORTEST_MS,
    "one_session": ONE_SESSION,
    "session_traces": SESSION_TRACES,
    "apart": APART,
    "answers": ("", *ANSWERS),
}
"""The numbers that stand in the view, by name."""
