"""Calls of the loops in `loops.c`, if they are compiled; otherwise NumPy does their work.

An installation from source compiles them if there is a C compiler (`tools/compile_loops.py`). Each
loop passes over its arrays once, and its results equal NumPy's, bit for bit (ADR 12).
"""

import ctypes
from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np

from featurestore.engines.arrays import Floats, Ints

SOURCE = Path(__file__).with_name("loops.c")
LIBRARY = SOURCE.with_name("libloops.so")

_SIZE = ctypes.c_int64
_INTS = np.ctypeslib.ndpointer(np.int64, flags="C_CONTIGUOUS")
_FLOATS = np.ctypeslib.ndpointer(np.float64, flags="C_CONTIGUOUS")
_VALUES = {
    "least_float": _FLOATS,
    "greatest_float": _FLOATS,
    "least_int": _INTS,
    "greatest_int": _INTS,
}

Tables = tuple[np.ndarray, np.ndarray]


@cache
def compiled() -> ctypes.CDLL | None:
    """Return the compiled loops; None if there are none, or if another source was compiled."""
    try:
        loops = ctypes.CDLL(str(LIBRARY))
        fingerprint_of_source = ctypes.c_char_p.in_dll(loops, "made_of").value
    except (OSError, ValueError):
        return None
    if fingerprint_of_source != fingerprint().encode():
        return None
    loops.count_before.argtypes = (_INTS, _INTS, _SIZE, _INTS, _INTS, _SIZE, _SIZE, _INTS)
    units = ctypes.c_double, ctypes.c_double
    loops.add_digits.argtypes = (_INTS, _INTS, *units, _INTS, _INTS, _SIZE, _FLOATS)
    for name, values in _VALUES.items():
        getattr(loops, f"fill_{name}").argtypes = values, _SIZE, ctypes.c_int
        ranges = (_INTS, _INTS, _SIZE, values)
        tables = (values, _SIZE, values, _SIZE, ctypes.c_int)
        getattr(loops, f"find_{name}").argtypes = (*tables, *ranges)
    return loops


def fingerprint() -> str:
    """Return the hash of the loops' source."""
    return sha256(SOURCE.read_bytes()).hexdigest()


def count_before(
    loops: ctypes.CDLL, pairs: tuple[Ints, Ints], searched: tuple[Ints, Ints], shift: int
) -> Ints:
    """Return how many of the pairs are less than each searched (code, time - shift).

    Args:
        loops: The compiled loops.
        pairs: Codes and times, ascending.
        searched: Codes, ascending, and times; fastest if the times ascend within each code.
        shift: Microseconds that are subtracted from the searched times. A difference outside of
            int64 counts as the least or the greatest int64.
    """
    (codes, times), count = map(np.ascontiguousarray, pairs), len(searched[0])
    answer = np.empty(count, np.int64)
    searched_codes, searched_times = map(np.ascontiguousarray, searched)
    loops.count_before(
        codes, times, len(codes), searched_codes, searched_times, shift, count, answer
    )
    return answer


def add_digits(
    loops: ctypes.CDLL,
    running: tuple[Ints, Ints],
    units: tuple[float, float],
    start: Ints,
    stop: Ints,
) -> Floats | None:
    """Return the nearest floats to sums of two digits; None if a digit's sum is no exact float.

    Args:
        loops: The compiled loops.
        running: The running sums of each digit.
        units: The weight of each digit.
        start: The first slot of each sum.
        stop: The slot behind the last.
    """
    answer = np.empty(len(start))
    ranges = map(np.ascontiguousarray, (start, stop))
    return answer if loops.add_digits(*running, *units, *ranges, len(start), answer) else None


def fill(loops: ctypes.CDLL, levels: np.ndarray, *, least: bool) -> None:
    """Fill the levels of a `RangeTable` above the first, which holds the values."""
    getattr(loops, f"fill_{_named(levels, least)}")(levels, levels.shape[1], len(levels))


def look_up(
    loops: ctypes.CDLL, tables: Tables, start: Ints, stop: Ints, *, least: bool
) -> np.ndarray:
    """Return the least (or greatest) value of each range; 0 of an empty range.

    Args:
        loops: The compiled loops.
        tables: The levels of the values, as rows, and the levels of the blocks.
        start: The first position of each range.
        stop: The position behind the last.
        least: True for the least value, False for the greatest.
    """
    near, far = tables
    answer = np.empty(len(start), near.dtype)
    sizes = (near, near.shape[1], far, far.shape[1], len(near))
    ranges = map(np.ascontiguousarray, (start, stop))
    getattr(loops, f"find_{_named(near, least)}")(*sizes, *ranges, len(start), answer)
    return answer


def _named(values: np.ndarray, least: bool) -> str:
    kind = "float" if values.dtype.kind == "f" else "int"
    return f"{'least' if least else 'greatest'}_{kind}"
