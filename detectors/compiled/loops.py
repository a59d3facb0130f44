"""The loops of NumPy itself, called from compiled code: so that the last bit is theirs.

A logarithm or exponential of the C library differs in its last bit from NumPy's, which depends on the processor.
"""

import ctypes
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from detectors.base import Floats, Ints

F = TypeVar("F", bound=Callable[..., Any])

EXP, EXP2, LOG, LOG1P, POWER, ADD = range(6)
_UFUNCS: Final[tuple[tuple[Any, str], ...]] = (
    (np.exp, "d->d"),
    (np.exp2, "d->d"),
    (np.log, "d->d"),
    (np.log1p, "d->d"),
    (np.power, "dd->d"),
    (np.add, "dd->d"),
)
_FUNCTIONS, _DATA = 32, 40
"""Where a ``PyUFuncObject`` keeps its loops and what they are given; part of NumPy's binary interface."""


def _folder() -> Path:
    """Return where compiled code is kept: apart for each state of the sources, whose constants are part of it."""
    package = Path(__file__).parents[1]
    state = zlib.crc32(b"".join(source.read_bytes() for source in sorted(package.rglob("*.py"))))
    return Path(config.CACHE_DIR or package / "compiled" / "__pycache__") / f"{state:08x}"


config.CACHE_DIR = str(_folder())


def compiled(function: F) -> F:
    """Return a function compiled when it is first called, and kept on disk where that can be written to."""
    try:
        return njit(cache=True, error_model="numpy")(function)
    except RuntimeError:  # there is no place to keep it
        return njit(error_model="numpy")(function)


def loops() -> Ints:
    """Return the address of each loop and of what it is given, shape (ufuncs, 2)."""
    return np.array([_loop(*each) for each in _UFUNCS], np.int64)


def _loop(ufunc: Any, signature: str) -> tuple[int, int]:
    place = 8 * ufunc.types.index(signature)
    functions, data = (ctypes.c_void_p.from_address(id(ufunc) + at).value or 0 for at in (_FUNCTIONS, _DATA))
    function, given = (ctypes.c_void_p.from_address(table + place).value or 0 for table in (functions, data))
    return function, given


def agree(table: Ints) -> bool:
    """Tell whether each loop gives what its ufunc gives, one value and several at a time."""
    first, second = np.linspace(0.01, 9, 101), np.full(101, 0.05)
    for which, (ufunc, signature) in enumerate(_UFUNCS):
        found = np.empty(101)
        expected = ufunc(first) if len(signature) == 4 else ufunc(first, second)
        for start, stop in ((0, 1), (1, 7), (7, 101)):
            loop(table, which, first[start:stop], second[start:stop], found[start:stop])
        if found.tobytes() != expected.tobytes():
            return False
    return all(total(table, first[:count], np.empty(1)) == first[:count].sum() for count in (1, 7, 9, 101))


@compiled
def loop(table: Ints, which: int, first: Floats, second: Floats, result: Floats) -> None:
    """Fill an array with what a ufunc gives for one array, or for two; all contiguous."""
    if table[which, 0] and len(first) == len(second) == len(result):
        third = result.ctypes.data
        other = third if which < POWER else second.ctypes.data
        _call(table[which, 0], table[which, 1], first.ctypes.data, other, third, 8, 8, 8, len(result))


@compiled
def total(table: Ints, values: Floats, work: Floats) -> float:
    """Return the sum of a contiguous array as NumPy adds it up; the first place of `work` is used."""
    work[0] = 0.0
    if table[ADD, 0]:
        place = work.ctypes.data
        _call(table[ADD, 0], table[ADD, 1], place, values.ctypes.data, place, 0, 8, 0, len(values))
    return work[0]


@intrinsic
def _call(  # noqa: PLR0913, PLR0917 - an intrinsic takes numbers alone
    _: Any, function: Any, data: Any, first: Any, second: Any, third: Any, a: Any, b: Any, c: Any, count: Any
) -> Any:
    """Call a loop of three operands, and the steps between their numbers."""

    def generate(context: Any, builder: Any, __: Any, arguments: Any) -> Any:
        address, given, *operands, length = arguments
        byte, word = ir.IntType(8).as_pointer(), ir.IntType(64)
        places, steps, size = (cgutils.alloca_once(builder, word, count) for count in (3, 3, 1))
        builder.store(length, size)
        for at in range(3):
            builder.store(operands[at], builder.gep(places, [ir.Constant(word, at)]))
            builder.store(operands[3 + at], builder.gep(steps, [ir.Constant(word, at)]))
        form = ir.FunctionType(ir.VoidType(), [word.as_pointer()] * 3 + [byte])
        called = builder.inttoptr(address, form.as_pointer())
        builder.call(called, [places, size, steps, builder.inttoptr(given, byte)])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 9), generate
