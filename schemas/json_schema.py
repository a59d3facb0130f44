"""JSON Schema of every kind, for other languages; and what counts as breaking it.

python -m schemas.json_schema          # writes schemas/json_schema/*.json anew
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec

from .changes import Change
from .controls import Control
from .erasures import Erasure
from .evaluations import EvaluationRun
from .events import AgentStep, GuardVerdict, Inference, Retrieval, Telemetry
from .findings import Finding
from .incidents import Delivery, IncidentAction, IncidentEvidence, IncidentTransition
from .reviews import ReviewItem, ReviewLabel
from .triage import Triage
from .windows import Window

KINDS: Final[tuple[type[msgspec.Struct], ...]] = (
    Inference, GuardVerdict, AgentStep, Retrieval, ReviewLabel, ReviewItem, EvaluationRun, IncidentTransition,
    IncidentAction, IncidentEvidence,
    Delivery, Control, Triage, Erasure, Change, Telemetry, Finding, Window,
)  # fmt: skip
FOLDER: Final = Path(__file__).with_name("json_schema")


def schema(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the JSON Schema of one kind."""
    return msgspec.json.schema(kind)


def breaking(old: Any, new: Any, path: str = "$") -> list[str]:
    """Return what a reader or writer of the old schema would stumble over in the new one.

    Fields that went, fields that became required, types and values that are no longer allowed, and bounds that
    became tighter are breaking; new optional fields and wider bounds are not.

    >>> breaking({"required": ["a"]}, {"required": ["a", "b"]})
    ['$.required: b became required']
    """
    if type(old) is not type(new):
        return [f"{path}: was {type(old).__name__}, is {type(new).__name__}"]
    if not isinstance(old, dict):
        return []
    found = [f"{path}.required: {name} became required" for name in _new_items("required", old, new)]
    if _opened(old, new):  # a closed list of words that became an open one takes more than before
        return found
    found += [f"{path}.{key}: {value!r} is not allowed any more" for key, value in _lost_choices(old, new)]
    for bound, tighter in _BOUNDS.items():
        if bound in new and (bound not in old or tighter(new[bound], old[bound])):
            found.append(f"{path}.{bound}: is tighter")
    for key in ("type", "$ref"):
        if old.get(key) != new.get(key) and key in old:
            found.append(f"{path}.{key}: was {old[key]}, is {new.get(key)}")
    for key in old.keys() & {"properties", "$defs", "items", "prefixItems", "additionalProperties"}:
        found += _breaking_inside(old[key], new.get(key), f"{path}.{key}")
    return found


_BOUNDS: Final[dict[str, Callable[[float, float], bool]]] = {
    "minimum": lambda new, old: new > old,
    "exclusiveMinimum": lambda new, old: new > old,
    "minLength": lambda new, old: new > old,
    "maximum": lambda new, old: new < old,
    "maxLength": lambda new, old: new < old,
}


def _opened(old: dict[str, Any], new: dict[str, Any]) -> bool:
    """Tell whether a choice of words became any word that is at least as long."""
    return (
        "enum" in old
        and new.get("type") == "string"
        and "enum" not in new
        and all(isinstance(word, str) and len(word) <= new.get("maxLength", len(word)) for word in old["enum"])
    )


def _new_items(key: str, old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    return sorted(set(new.get(key, ())) - set(old.get(key, ())))


def _lost_choices(old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, Any]]:
    lost = []
    for key in ("enum", "anyOf"):
        kept = [_bare(choice) for choice in new.get(key, [])]
        lost += [(key, choice) for choice in old.get(key, []) if not _still_allowed(choice, kept)]
    return lost


def _still_allowed(choice: Any, kept: list[Any]) -> bool:
    return _bare(choice) in kept or (isinstance(choice, dict) and any(_opened(choice, other) for other in kept))


def _bare(choice: Any) -> Any:
    """Return a choice without what is only said to people."""
    return {k: v for k, v in choice.items() if k != "description"} if isinstance(choice, dict) else choice


def _breaking_inside(old: Any, new: Any, path: str) -> list[str]:
    if path.endswith((".properties", ".$defs")):
        gone = [f"{path}: {name} is gone" for name in old if name not in (new or {})]
        inside = [
            line for name in old if name in (new or {}) for line in breaking(old[name], new[name], f"{path}.{name}")
        ]
        return gone + inside
    return breaking(old, new, path) if isinstance(old, dict) else []


def main() -> None:
    """Write the schemas."""
    FOLDER.mkdir(exist_ok=True)
    for kind in KINDS:
        text = json.dumps(schema(kind), indent=1, sort_keys=True)
        (FOLDER / f"{kind.__name__}.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
