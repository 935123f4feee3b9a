"""Columns as NumPy arrays, and arithmetic on moments that cannot wrap around."""

from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
ScalarT = TypeVar("ScalarT", bound=np.generic)

FIRST = int(np.iinfo(np.int64).min)
LAST = int(np.iinfo(np.int64).max)
"""The least and the greatest moment; the greatest also stands for "never"."""


def whole(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Return a column as one array of plain values.

    Dictionaries are decoded and text gets 64-bit offsets, so that no chunk is too large to join.

    Example:
        >>> whole(pa.chunked_array([["a"], ["b"]])).to_pylist()
        ['a', 'b']
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    wide = _WIDE.get(column.type)
    if wide is not None:
        column = column.cast(wide)
    if not isinstance(column, pa.ChunkedArray):
        return column
    # Arrow copies even where there is nothing to join.
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def integers(array: pa.Array) -> Ints:
    """Return integers, booleans, dates or moments as int64, nulls as 0.

    Example:
        >>> integers(pa.array([3, None], pa.int32())).tolist()
        [3, 0]
    """
    if pa.types.is_date32(array.type):
        array = array.cast(pa.int32())
    array = array.cast(pa.int64())
    filled = array.fill_null(0) if array.null_count else array
    values: Ints = filled.to_numpy()
    return values


def moments(array: pa.Array) -> Ints:
    """Return timestamps of any unit as microseconds; integers are microseconds already.

    Example:
        >>> moments(pa.array([1], pa.timestamp("s"))).tolist()
        [1000000]
    """
    if pa.types.is_timestamp(array.type) and array.type.unit != "us":
        array = array.cast(pa.timestamp("us", tz=array.type.tz))
    return integers(array)


def floats(array: pa.Array) -> Floats:
    """Return numbers as float64, nulls as 0.

    Example:
        >>> floats(pa.array([0.5, None], pa.float32())).tolist()
        [0.5, 0.0]
    """
    array = array.cast(pa.float64(), safe=False)
    filled = array.fill_null(0.0) if array.null_count else array
    values: Floats = filled.to_numpy()
    return values


def validity(array: pa.Array) -> Mask | None:
    """Return which values are not null; None where all are.

    Example:
        >>> validity(pa.array([1, None])).tolist(), validity(pa.array([1]))
        ([True, False], None)
    """
    if not array.null_count:
        return None
    bits = array.buffers()[0]
    if bits is None:  # as of an array of the null type
        kept: Mask = pc.is_valid(array).to_numpy(zero_copy_only=False)
        return kept
    end = array.offset + len(array)
    unpacked = np.unpackbits(np.frombuffer(bits, np.uint8), count=end, bitorder="little")
    return unpacked[array.offset :].view(np.bool_)


@dataclass(frozen=True)
class Absent:
    """Which rows have no value; the bits that say so are made once for all columns.

    Args:
        mask: True where there is none.
    """

    mask: Mask

    @cached_property
    def bits(self) -> pa.Buffer | None:
        """What Arrow calls a validity bitmap; None where all rows have a value."""
        known = np.packbits(~self.mask, bitorder="little") if self.mask.any() else None
        return None if known is None else pa.py_buffer(known)


def nullable(
    values: np.ndarray, absent: Absent | None, dtype: pa.DataType | None = None
) -> pa.Array:
    """Return numbers as an array, null where some are absent; ten times as fast as Arrow's way.

    Args:
        values: A row each, laid out as Arrow lays out the type.
        absent: Which rows are null; None if none is.
        dtype: The type of a fixed width; None for that of the numbers.

    Example:
        >>> nullable(np.array([1.5, 0.0]), Absent(np.array([False, True]))).to_pylist()
        [1.5, None]
    """
    buffers = [None if absent is None else absent.bits, pa.py_buffer(values)]
    return pa.Array.from_buffers(dtype or pa.from_numpy_dtype(values.dtype), len(values), buffers)


def both(left: Mask | None, right: Mask | None) -> Mask | None:
    """Return where both masks hold; None is a mask that holds everywhere.

    Example:
        >>> both(None, np.array([True, False])).tolist()
        [True, False]
    """
    if left is None or right is None:
        return right if left is None else left
    return left & right


def picked(values: npt.NDArray[ScalarT], index: Ints | None) -> npt.NDArray[ScalarT]:
    """Return the values at an index; None is the index of everything, and copies nothing.

    Example:
        >>> picked(np.array([7, 8]), None), picked(np.array([7, 8]), np.array([1]))
        (array([7, 8]), array([8]))
    """
    return values if index is None else values[index]


def taken(array: pa.Array, at: Ints) -> pa.Array:
    """Return the values at some positions, null where the position is -1.

    Example:
        >>> taken(pa.array([7, 8]), np.array([1, -1])).to_pylist()
        [8, None]
    """
    if not len(array):
        return pa.nulls(len(at), array.type)
    # Arrow takes by an index without nulls three times as fast as by one with nulls.
    found = at >= 0
    if found.all():
        return array.take(pa.array(at))
    values = array.take(pa.array(np.maximum(at, 0)))
    return pc.if_else(pa.array(found), values, pa.scalar(None, array.type))


def earlier(times: Ints, micros: int) -> Ints:
    """Return moments shifted back, stopping at the ends of int64.

    Example:
        >>> earlier(np.array([10, FIRST]), 4).tolist() == [6, FIRST]
        True
    """
    if not micros:
        return times
    if micros < 0:
        return np.minimum(times, LAST + micros) - micros
    micros = min(micros, LAST)
    return np.maximum(times, FIRST + micros) - micros


def runs(sorted_values: Ints, distinct: int) -> Ints:
    """Return where the run of each of the values 0, 1, ... starts, and last the length.

    Example:
        >>> runs(np.array([0, 0, 2]), 3).tolist()
        [0, 2, 2, 3]
    """
    return np.searchsorted(sorted_values, np.arange(distinct + 1, dtype=np.int64))


def running(values: np.ndarray) -> Ints:
    """Return the sums of the values before each slot, and last of all.

    Example:
        >>> running(np.array([2, 3])).tolist()
        [0, 2, 5]
    """
    sums = np.zeros(len(values) + 1, np.int64)
    np.cumsum(values, out=sums[1:])
    return sums


_WIDE = {
    pa.string(): pa.large_string(),
    pa.string_view(): pa.large_string(),
    pa.binary(): pa.large_binary(),
    pa.binary_view(): pa.large_binary(),
}
