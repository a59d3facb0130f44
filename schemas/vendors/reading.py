"""Foreign JSON, read with care: what is absent stays absent, and another shape is an error that says where and what."""

import dataclasses
import enum
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

NAME_CHARS: Final = 128
"""A name of a category, a guard or a rule is shorter; a longer text may be what somebody wrote."""

_NO_NAME: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_CAMEL: Final = re.compile(r"_([a-z0-9])")


class Node:
    """One place in foreign JSON, absent or not, that knows its path.

    Examples
    --------
    >>> answer = Node({"outer": {"isSet": True}}, "guard")
    >>> answer.get("outer").get("is_set").flag()
    True
    >>> answer.get("outer").items()
    Traceback (most recent call last):
        ...
    ValueError: guard.outer must be a list, and is a dict; hand over the response as it came
    """

    def __init__(self, value: Any, path: str) -> None:
        self.value: Final = plain(value)
        self.path: Final = path

    def __bool__(self) -> bool:
        return self.value is not None

    def get(self, *names: str) -> "Node":
        """Return the first of the fields that is there, in the spelling of Python or of JSON."""
        fields = self._checked(dict, "an object") or {}
        for name in names:
            for spelling in (name, _CAMEL.sub(lambda match: match[1].upper(), name)):
                if fields.get(spelling) is not None:
                    return Node(fields[spelling], f"{self.path}.{spelling}")
        return Node(None, f"{self.path}.{names[0]}")

    def fields(self) -> dict[str, "Node"]:
        """Return the fields of an object; of nothing none."""
        fields = self._checked(dict, "an object") or {}
        return {str(name): Node(value, f"{self.path}.{str(name)[:NAME_CHARS]}") for name, value in fields.items()}

    def items(self) -> list["Node"]:
        """Return the items of a list; of nothing none."""
        return [Node(value, f"{self.path}[{index}]") for index, value in enumerate(self._checked(list, "a list") or [])]

    def text(self) -> str:
        """Return a text as it is; of nothing an empty one."""
        return self._checked(str, "a text") or ""

    def flag(self) -> bool:
        """Return whether something is true; nothing is not."""
        return bool(self._checked(bool, "true or false"))

    def number(self) -> float | None:
        """Return a finite number; of anything that is none, such as NaN, nothing."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float | None):
            raise self.error("a number")
        if value is None or abs(value) > 1e300 or not math.isfinite(value):
            return None
        return float(value)

    def word(self) -> str | None:
        """Return a name or a code; of an empty one nothing. What is too long for a name is not repeated."""
        if isinstance(self.value, bool):
            return "true" if self.value else "false"
        if isinstance(self.value, int | float):
            return str(self.value)
        return name(self._checked(str, "a name") or "")

    def error(self, wanted: str) -> ValueError:
        """Return what is wrong here."""
        found = type(self.value).__name__
        return ValueError(f"{self.path} must be {wanted}, and is a {found}; hand over the response as it came")

    def _checked(self, kind: type, wanted: str) -> Any:
        if self.value is not None and not isinstance(self.value, kind):
            raise self.error(wanted)
        return self.value


def name(text: str) -> str | None:
    """Return a text that can be a name, without what is no character; None of an empty one.

    >>> name(" HATE "), name(""), name("x" * 200)
    ('HATE', None, '(too long for a name)')
    """
    if len(text) > 4 * NAME_CHARS:
        return "(too long for a name)"
    found = _NO_NAME.sub("", text).strip()
    return "(too long for a name)" if len(found) > NAME_CHARS else found or None


def snake(text: str) -> str:
    """Return a name as tables have it.

    >>> snake("BanSubstrings"), snake("data exfiltration"), snake("test/ban-word")
    ('ban_substrings', 'data_exfiltration', 'test/ban_word')
    """
    return _HUMP.sub("_", text).replace(" ", "_").replace("-", "_").lower()


def plain(value: Any) -> Any:
    """Return what an SDK's object holds, as JSON has it; tuples are lists."""
    if type(value) in _JSON:
        return value
    for kind, made in _MADE.items():
        if isinstance(value, kind):
            return made(value)
    if callable(getattr(value, "model_dump", None)):
        return value.model_dump(mode="json", by_alias=True, warnings=False)
    for method in ("as_dict", "to_dict"):
        if callable(getattr(value, method, None)):
            return getattr(value, method)()
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    return value


_JSON: Final = frozenset({type(None), str, int, float, bool, dict, list})
_MADE: Final[dict[type, Callable[[Any], Any]]] = {
    enum.Enum: lambda value: value.value,
    BaseException: lambda value: {"raised": type(value).__name__, **vars(value)},
    str: str,
    list: list,
    Mapping: dict,
    tuple: list,
    type: str,
}


def each(*lists: Node) -> Iterator[Node]:
    """Yield the items of several lists, one after the other."""
    for one in lists:
        yield from one.items()
