"""A policy that extends another: what it does not say itself is taken from there, key by key."""

from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any, Final

from streams.policy.text import PolicyError, parsed

READY: Final = ("customer-support", "compliance-documents", "decision-support")
"""Policies that come with Watchkeeper, by use case."""
_DEEPEST: Final = 10
_USED: Final = (None, "")


def ready_text(name: str) -> str:
    """Return the text of a ready policy."""
    return (resources.files("streams.policy.ready") / f"{name}.yaml").read_text(encoding="utf-8")


def completed(content: dict[str, Any], name: str, check: Callable[[str, str], object]) -> dict[str, Any]:
    """Return a policy with all that it, and each of its services, extends.

    A mapping is merged key by key; a list or a single value takes the place of the one that is extended.

    Parameters
    ----------
    content, name
        The policy as it stands in its file, and the path of that.
    check
        Reads another policy, given its text and name, and raises where it cannot be used.

    Raises
    ------
    PolicyError
        Where what it extends is not there or cannot be used, or extends itself.
    """
    return _completed(content, name, check, ())


def laid_over(path: Path | None, content: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a policy that did not come from a file so that it extends the one in a file, unless it says another.

    Raises
    ------
    PolicyError
        Where it extends a file: who writes it need not be one who may read that.
    """
    services = content.get("services")
    said = [content, *(services.values() if isinstance(services, dict) else ())]
    named = [each["extends"] for each in said if isinstance(each, dict) and each.get("extends") not in _USED]
    if strange := [str(wanted) for wanted in named if wanted not in READY]:
        raise PolicyError(f"{name}: extends: {strange[0][:64]!r} is no ready policy; take one of {', '.join(READY)}")
    if path is not None and content.get("extends") in _USED:
        content["extends"] = str(path.resolve())
    return content


def _completed(
    content: dict[str, Any], name: str, check: Callable[[str, str], object], above: tuple[str, ...]
) -> dict[str, Any]:
    def base(wanted: Any) -> dict[str, Any]:
        text, called = _found(wanted, name)
        if called in above or called == name or len(above) >= _DEEPEST:
            raise PolicyError(f"{name}: what it extends comes back to {called}; break that circle")
        found = _completed(parsed(text, called) or {}, called, check, (*above, name))
        check(text, called)
        return found

    whole = content
    if content.get("extends") not in _USED:
        whole = merged(base(content["extends"]), content)
    services = whole.get("services")
    if not isinstance(services, dict):
        return whole
    extended = {
        service: merged(base(said["extends"]).get("defaults", {}), said)
        for service, said in services.items()
        if isinstance(said, dict) and said.get("extends") not in _USED
    }
    return {**whole, "services": {**services, **extended}} if extended else whole


def merged(base: Any, own: Any) -> Any:
    """Return what one says over what it extends.

    >>> merged({"a": {"b": 1, "c": [1]}, "d": 2}, {"a": {"c": [3]}})
    {'a': {'b': 1, 'c': [3]}, 'd': 2}
    """
    if not isinstance(base, dict) or not isinstance(own, dict):
        return own
    return {**base, **{key: merged(base[key], value) if key in base else value for key, value in own.items()}}


def _found(wanted: Any, name: str) -> tuple[str, str]:
    """Return text and name of what is extended: a ready policy, else a file beside the one that says so."""
    if wanted in READY:
        return ready_text(wanted), str(wanted)
    path = Path(name).parent / str(wanted)
    try:
        return path.read_text(encoding="utf-8"), str(path)
    except (OSError, UnicodeDecodeError):
        known = ", ".join(READY)
        raise PolicyError(
            f"{name}: extends: {wanted!r} is no ready policy ({known}) and no file that can be read"
        ) from None
