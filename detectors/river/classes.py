"""The drift and anomaly detector classes of River, by name."""

import importlib
import inspect
from typing import Any, Final

_DRIFT: Final = (("river.drift", "river.drift.binary"), ("DriftDetector", "BinaryDriftDetector"))
_ANOMALY: Final = (("river.anomaly",), ("AnomalyDetector",))
"""Modules, and the kinds of `river.base`: loaded when a class is asked for, as every worker reads the policy."""


def drift_class(dotted_name: str) -> type[Any]:
    """Return a drift detector class of River by its dotted name.

    Raises
    ------
    ValueError
        Where there is no such class, with the names that there are.

    >>> drift_class("river.drift.ADWIN").__name__
    'ADWIN'
    """
    return _named(dotted_name, _known(*_DRIFT), "drift")


def anomaly_class(dotted_name: str) -> type[Any]:
    """Return an anomaly detector class of River that scores events of several features, by its dotted name.

    Raises
    ------
    ValueError
        Where there is no such class, with the names that there are.

    >>> anomaly_class("river.anomaly.LODA").__name__
    'LODA'
    """
    return _named(dotted_name, _known(*_ANOMALY), "anomaly")


def _named(dotted_name: str, known: dict[str, type[Any]], kind: str) -> type[Any]:
    if dotted_name not in known:
        raise ValueError(f"{dotted_name!r} is no {kind} detector of River; take one of {', '.join(known)}")
    return known[dotted_name]


def _known(modules: tuple[str, ...], kinds: tuple[str, ...]) -> dict[str, type[Any]]:
    base = importlib.import_module("river.base")
    wanted = tuple(getattr(base, kind) for kind in kinds)
    return {
        f"{module}.{name}": found
        for module in modules
        for name, found in sorted(vars(importlib.import_module(module)).items())
        if isinstance(found, type) and issubclass(found, wanted) and not inspect.isabstract(found)
    }


def seeded(found: type[Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """Give a class that draws random numbers a seed, because the same history must give the same votes."""
    takes_seed = "seed" in inspect.signature(found).parameters
    return {"seed": 1, **parameters} if takes_seed else parameters
