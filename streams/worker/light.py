"""Keeps out of a worker's process what it does not use."""

import ctypes
import sys
from importlib.abc import MetaPathFinder
from typing import Final, Never

LARGE_BYTES: Final = 2**20
_MMAP_THRESHOLD: Final = -3
"""M_MMAP_THRESHOLD of glibc's malloc.h."""


class _NoPandas(MetaPathFinder):
    """Finds no pandas."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        if fullname == "pandas":
            self._refuse()

    def _refuse(self) -> Never:
        raise ModuleNotFoundError("pandas is not looked for", name="pandas")


def without_pandas(*, store: bool) -> None:
    """Have Arrow and the client of the store not look for pandas, which they load with the first list they are given.

    Nothing of ours makes or takes an object of pandas. It costs 45 MB, and is the longest import of a worker.
    """
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        import pyarrow as pa

        pa.array([0])  # both look once and remember
        if store:
            from clickhouse_connect.driver import options

            options.pd  # noqa: B018
    finally:
        sys.meta_path.remove(finder)


def without_hoard() -> None:
    """Have glibc give each block of a MB and more back to the machine when it is freed.

    By itself it does so until one was freed; from then on it keeps room for blocks of up to 32 MB in each arena. After
    three readers had had answers of 26 MB, 54 MB stayed so. Other C libraries have no such switch.
    """
    if set_option := getattr(ctypes.CDLL(None), "mallopt", None):
        set_option(_MMAP_THRESHOLD, LARGE_BYTES)
