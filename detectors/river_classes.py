"""The drift detector classes of River, by name."""

import importlib
import inspect
from typing import Any, Final

from river import base

_MODULES: Final = ("river.drift", "river.drift.binary")
_KINDS: Final = (base.DriftDetector, base.BinaryDriftDetector)


def drift_class(dotted_name: str) -> type[Any]:
    """Return a drift detector class of River by its dotted name.

    Raises
    ------
    ValueError
        Where there is no such class, with the names that there are.

    >>> drift_class("river.drift.ADWIN").__name__
    'ADWIN'
    """
    known = _known()
    if dotted_name not in known:
        raise ValueError(f"{dotted_name!r} is no drift detector of River; take one of {', '.join(known)}")
    return known[dotted_name]


def drift_names() -> list[str]:
    """Return the dotted names of all drift detector classes of River."""
    return list(_known())


def _known() -> dict[str, type[Any]]:
    return {
        f"{module}.{name}": found
        for module in _MODULES
        for name, found in sorted(vars(importlib.import_module(module)).items())
        if isinstance(found, type) and issubclass(found, _KINDS)
    }


def seeded(found: type[Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """Give a class that draws random numbers a seed, because the same history must give the same votes."""
    takes_seed = "seed" in inspect.signature(found).parameters
    return {"seed": 1, **parameters} if takes_seed else parameters
