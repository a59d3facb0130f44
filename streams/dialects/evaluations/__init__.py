"""Files that evaluation tools write, read into runs of suites: one small reader for each tool."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from streams.dialects.evaluations import garak, inspect_log, lm_eval, promptfoo

READERS: Final[dict[str, Callable[[Sequence[dict[str, Any]]], Iterator[dict[str, Any]]]]] = {
    "garak": garak.runs,
    "inspect": inspect_log.runs,
    "promptfoo": promptfoo.runs,
    "lm-eval": lm_eval.runs,
}
"""By the name of the tool: the JSON objects of one file, to runs as plain values."""
