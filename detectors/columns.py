"""Flat arrays with one row a series, which grow, are stored and come back together."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from detectors.base import State, StateError


class Columns:
    """State of many series, one attribute a column.

    A subclass names its columns in `COLUMNS` and sets each, in its constructor, to an empty array of the right
    type and width. Rows are only ever added, and begin as zeros. Room is doubled when it is used up, so that
    adding series one at a time costs no more than adding them together.
    """

    COLUMNS: ClassVar[tuple[str, ...]] = ()

    def __len__(self) -> int:
        return len(getattr(self, self.COLUMNS[0]))

    def extend(self, count: int) -> None:
        """Add rows of zeros."""
        if not count:
            return
        size = len(self) + count
        for name in self.COLUMNS:
            rows = getattr(self, name)
            room = rows.base if rows.base is not None else rows
            if len(room) < size:
                room = np.zeros((max(size, 2 * len(room)), *rows.shape[1:]), rows.dtype)
                room[: len(rows)] = rows
            setattr(self, name, room[:size])

    def clear(self, row: int) -> None:
        """Set a row to zeros again."""
        for name in self.COLUMNS:
            getattr(self, name)[row] = 0

    def all_columns(self) -> list[npt.NDArray[Any]]:
        """Return the columns themselves, in their order."""
        return [getattr(self, name) for name in self.COLUMNS]

    def columns(self) -> State:
        """Return copies of all columns."""
        return {name: getattr(self, name).copy() for name in self.COLUMNS}

    def restore(self, state: State) -> None:
        """Set all columns to copies of those in `state`.

        Raises
        ------
        StateError
            Where a column is missing, of another type or width, or longer or shorter than the others. Nothing is
            changed then.
        """
        for name, column in self.fitting(state).items():
            setattr(self, name, column)

    def fitting(self, state: State) -> State:
        """Return copies of the columns in `state`; raises as `restore`."""
        found = {name: _fitting(state, name, getattr(self, name)) for name in self.COLUMNS}
        if len({len(column) for column in found.values()}) > 1:
            raise StateError("the columns of the stored state differ in length; start without it")
        return found


def _fitting(state: State, name: str, like: npt.NDArray[Any]) -> npt.NDArray[Any]:
    column = state.get(name)
    if column is None or column.dtype != like.dtype or column.shape[1:] != like.shape[1:] or column.ndim != like.ndim:
        raise StateError(f"the stored state has no column {name!r} of this version's form; start without it")
    return column.copy()


def check_version(state: State, version: int, kind: str) -> None:
    """Refuse the state of another version.

    Raises
    ------
    StateError
        Naming both versions.
    """
    found = int(state["version"][0]) if "version" in state else None
    if found != version:
        raise StateError(f"{kind} state has version {found}, this is {version}; start without it")


def check_whole(state: State, names: Iterable[str], kind: str) -> None:
    """Refuse a state that lacks an array.

    Raises
    ------
    StateError
        Naming what is missing.
    """
    missing = sorted(set(names) - state.keys())
    if missing:
        raise StateError(f"{kind} state lacks {', '.join(missing)}; start without it")


def stored(parts: Mapping[str, Columns]) -> State:
    """Return the columns of several parts, each under its prefix."""
    return {name: array for prefix, part in parts.items() for name, array in prefixed(prefix, part.columns()).items()}


def restore(parts: Mapping[str, Columns], state: State) -> None:
    """Set all parts to what `stored` returned.

    Raises
    ------
    StateError
        Where a part is not whole, or has another number of series than the others. Nothing is changed then.
    """
    found = {prefix: part.fitting(under(prefix, state)) for prefix, part in parts.items()}
    if len({len(next(iter(columns.values()))) for columns in found.values()}) > 1:
        raise StateError("the parts of the stored state differ in their number of series; start without it")
    for prefix, part in parts.items():
        part.restore(found[prefix])


def under(prefix: str, state: State) -> State:
    """Return the part of a state whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}


def prefixed(prefix: str, state: State) -> State:
    """Return a state with a prefix before each name."""
    return {prefix + name: array for name, array in state.items()}
