"""Keeps out of a worker's process what it does not use."""

import sys
from importlib.abc import MetaPathFinder
from typing import Never


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
