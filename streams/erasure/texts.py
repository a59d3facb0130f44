"""Somebody's value in records that are kept as text: JSON, SQL and sentences."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final

from schemas.erasures import Subject
from streams.erasure.subjects import Known, Named

JSON: Final = (
    ("incident_evidence", "bundle"), ("findings", "evidence"), ("window_messages", "payload"),
    ("dead_letters", "value"),
)  # fmt: skip
"""Tables and columns with records as JSON."""
DOCUMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "inferences": ("input_text", "output_text"),
    "incident_evidence": ("bundle",),
    "findings": ("evidence", "evidence_sql"),
    "window_messages": ("payload",),
    "dead_letters": ("value", "detail"),
    "incident_transitions": ("reason", "scope", "dedup_key"),
    "incident_actions": ("reason",),
    "deliveries": ("detail",),
    "controls": ("reason",),
    "changes": ("reason",),
    "triage": ("reason",),
    "guard_verdicts": ("reason", "native_result_value"),
    "review_labels": ("explanation_ref",),
}
"""Columns, by table, that hold more than one value."""

FIELDS: Final[Mapping[Subject, str]] = {
    "user": "user_pseudo_id|user", "session": "session_id|conversation_id", "tenant": "tenant_id",
}  # fmt: skip
_NAME: Final = r'"(?:{}|name)"\s*:\s*"((?:[^"\\]|\\.)*)"'


def candidates(subject: Subject) -> str:
    """Return the pattern whose first group is what a JSON text may name somebody by."""
    return _NAME.format(FIELDS[subject])


def unescaped(found: Iterable[str]) -> set[str]:
    r"""Return what JSON strings say, without those that say nothing.

    >>> sorted(unescaped(["a", "\\u00e9", "\\x"]))
    ['a', 'é']
    """
    values = set()
    for each in found:
        try:
            values.add(str(json.loads(f'"{each}"')))
        except ValueError:
            continue
    return values


def pattern(value: str) -> str:
    r"""Return the pattern of a value that stands by itself, also as JSON escapes it, with what is before and after it.

    >>> import re
    >>> re.sub(pattern("u-1"), r"\1~\2", '"u-1", u-1x, u-1-2, (u-1)')
    '"~", u-1x, u-1-2, (~)'
    """
    forms = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    return rf"(^|[^\w-])(?:{'|'.join(sorted(map(re.escape, forms)))})($|[^\w-])"


def without(text: str, named: Iterable[Named]) -> str:
    """Return a text in which other words stand for somebody's value."""
    for each in named:
        for _ in range(2):  # two that stand side by side share what is between them
            text = re.sub(pattern(each.value), rf"\1{each.instead}\2", text)
    return text


def without_known(text: str, known: Known, at: int) -> str:
    """Return a text of a time, in Unix nanoseconds, that names nobody who is to be erased up to then or later.

    Only who is named by a field of a JSON text is found.
    """
    for subject in sorted(known.subjects):
        said = unescaped(re.findall(candidates(subject), text))
        text = without(text, (each for each in known.among(subject, said) if at <= each.until))
    return text
