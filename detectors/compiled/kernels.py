"""Whether compiled kernels are in use. Nothing of theirs is imported before they are asked for.

A kernel is equal to the plain form of its detector to the last bit, so they may take over at any moment, or not at
all: where there is no compiler, or it does not find NumPy's own loops.
"""

import importlib
import threading
from types import ModuleType
from typing import Final

MODULES: Final = {
    "activity": "detectors.compiled.activity",
    "distributions": "detectors.distributions.kernel",
    "rates": "detectors.rates.kernel",
    "volume": "detectors.volume.kernel",
    "votes": "detectors.river.kernel",
}
_found: dict[str, ModuleType] = {}
_loading: Final = threading.Lock()
_tried: Final = threading.Event()


def kernel(name: str) -> ModuleType | None:
    """Return the kernel of a family of detectors, or None while it is not in use."""
    return _found.get(name)


def load() -> bool:
    """Bring all kernels into use, and tell whether they are; compiling them for the first time takes seconds."""
    with _loading:
        if not _tried.is_set():
            _tried.set()
            try:
                loops = importlib.import_module("detectors.compiled.loops")
                modules = {name: importlib.import_module(path) for name, path in MODULES.items()}
            except ImportError:
                return False
            if loops.agree(loops.loops()):
                _found.update(modules)
    return bool(_found)


def unload() -> None:
    """Go back to the plain forms."""
    with _loading:
        _found.clear()
        _tried.clear()
