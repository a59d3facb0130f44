"""Errors as ClickHouse words them: a code, a text, and the HTTP status that belongs to the code."""

import math
import re
from typing import Final

from streams.access.limits.pace import Over

_CODE: Final = re.compile(r"Code: (\d+)")

_OWN: Final = re.compile(r":? ?:? In scope SELECT (?:parseQueryToJSON|formatQuery)\(.*\)(?=\. \()", re.DOTALL)
"""What errors tell of the question that the endpoint itself asked to look a query over."""

_STATUS: Final = {
    400: (6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427, 441, 675, 676),
    401: (194,),
    403: (192, 193, 497, 512, 516),
    404: (46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511),
    408: (159,),
    413: (229,),
    429: (201,),
    501: (48,),
    503: (76, 202, 209, 439),
}
"""Statuses of ClickHouse's codes; all others are 500 (its source, ``exceptionCodeToHTTPStatus``)."""

STATUS: Final = {code: status for status, codes in _STATUS.items() for code in codes}

AUTHENTICATION_FAILED: Final = 516
ACCESS_DENIED: Final = 497
BAD_ARGUMENTS: Final = 36
"""Also what the engine says of a statement that it writes no tree of."""
SYNTAX_ERROR: Final = 62
READONLY: Final = 164
UNKNOWN_FUNCTION: Final = 46
UNKNOWN_FORMAT: Final = 73
TOO_DEEP: Final = 306
BUSY: Final = 202
QUOTA_EXCEEDED: Final = 201
MEMORY_LIMIT: Final = 241
UNKNOWN_DATABASE: Final = 81
TIMEOUT_EXCEEDED: Final = 159
UNKNOWN_SETTING: Final = 115
CANNOT_PARSE: Final = 27
UNKNOWN_EXCEPTION: Final = 1002
NETWORK_ERROR: Final = 210


class SqlError(ValueError):
    """A query that was refused or failed; `code` is ClickHouse's own, `over` is set where somebody asked too much."""

    def __init__(self, message: str, code: int, over: Over | None = None) -> None:
        super().__init__(message)
        self.code: Final = code
        self.over: Final = over

    @property
    def status(self) -> int:
        """The HTTP status that ClickHouse gives for the code."""
        return STATUS.get(self.code, 500)


def refused(code: int, name: str, text: str) -> SqlError:
    """Return an error of our own in ClickHouse's words.

    >>> str(refused(497, "ACCESS_DENIED", "function file is not allowed here"))
    'Code: 497. DB::Exception: function file is not allowed here. (ACCESS_DENIED)'
    """
    return SqlError(f"Code: {code}. DB::Exception: {text}. ({name})", code)


def too_many(what: str, over: Over) -> SqlError:
    """Return the answer to who asks too much, or guesses."""
    text = f"{what}: try again in {math.ceil(over.seconds)} s"
    return SqlError(f"Code: {QUOTA_EXCEEDED}. DB::Exception: {text}. (QUOTA_EXCEEDED)", QUOTA_EXCEEDED, over)


def from_engine(error: Exception) -> SqlError:
    """Return an error of the engine with its code; 1002 (UNKNOWN_EXCEPTION) where it has none."""
    text = _OWN.sub("", str(error).strip())
    found = _CODE.search(text)
    return SqlError(text[found.start() :], int(found.group(1))) if found else SqlError(text, 1002)
