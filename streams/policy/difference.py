"""In what two policies differ, key by key, as a change of one to the other is recorded."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any, Final

from streams.policy.policy import Policy

LONGEST: Final = 200
MOST: Final = 50
"""Keys that a record names; how many more there are stands in its reason."""


def version_of(policy: Policy) -> str:
    """Return what tells one policy from another: with all that it extends, in whatever order it was written.

    >>> version_of(Policy()) == version_of(Policy(services={}))
    True
    """
    text = json.dumps(policy.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def difference(old: Policy, new: Policy) -> dict[str, str]:
    """Return what was and what is, by key; keys of lists are the lists.

    >>> difference(Policy(), Policy.model_validate({"services": {"a": {"tier": "critical"}}}))["services.a.tier"]
    'nothing → "critical"'
    """
    before, after = (dict(_leaves(each.model_dump(mode="json"))) for each in (old, new))
    changed = [key for key in sorted({*before, *after}) if before.get(key) != after.get(key)]
    return {key: f"{_word(before.get(key))} → {_word(after.get(key))}" for key in changed}


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, part in value.items():
            yield from _leaves(part, f"{path}.{name}" if path else name)
    elif value not in (None, "", [], {}):
        yield path, value


def _word(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)[:LONGEST]
