"""min and max: a sparse table, one level at a time.

Level k holds the least of every 2**k slots in a row; a slice of n is two such blocks that overlap,
of the greatest power of two in n (Bender and Farach-Colton, "The LCA Problem Revisited", 2000).
Slices are answered at their own level while the table is there, so that memory stays O(slots).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.engines.kernel.arrays import FIRST, LAST, Ints, Mask, integers
from featurestore.engines.kernel.column import Column
from featurestore.engines.kernel.slices import Slices
from featurestore.engines.kernel.sums import plain_numbers
from featurestore.query.nodes import Aggregate
from featurestore.store.columns import arrow_type


@dataclass(frozen=True)
class Ordered:
    """A column as numbers of the same order, and the way back.

    Args:
        numbers: One a slot; anything where there is no value.
        decode: From numbers, and where there is none, to values.
    """

    numbers: np.ndarray
    decode: Callable[[np.ndarray, Mask], pa.Array]

    def or_neutral(self, valid: Mask | None, *, least: bool) -> np.ndarray:
        """Return the numbers, with the `neutral` one where there is none."""
        if valid is None:
            return self.numbers
        return np.where(valid, self.numbers, neutral(self.numbers.dtype, least=least))


def min_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's least value; NaN where there is one, null where there is no value."""
    return _extreme(feature, column, slices, column.once(_table_of_least))


def max_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's greatest value, as `min_of` does the least."""
    return _extreme(feature, column, slices, column.once(_table_of_greatest))


def ordered(column: Column) -> Ordered:
    """Return a column's values as numbers of the same order; NaN is NaN, -0.0 is 0.0."""
    dtype = column.values.type
    if pa.types.is_floating(dtype):
        return Ordered(plain_numbers(column), _decode_numbers)
    if pa.types.is_integer(dtype) or pa.types.is_temporal(dtype):
        return Ordered(integers(column.values), partial(_decode_integers, dtype))
    encoded = column.values.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy().astype(np.int64)
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    codes = (
        np.append(place, 0)[integers(encoded.indices)]
        if len(order)
        else np.zeros(len(column.values), np.int64)
    )
    return Ordered(codes, partial(_decode_ranks, encoded.dictionary.take(pa.array(order))))


def neutral(dtype: np.dtype, *, least: bool) -> float | int:
    """Return the number that is never the least (or greatest) beside another.

    Example:
        >>> neutral(np.dtype(float), least=True)
        inf
    """
    if dtype.kind == "f":
        return np.inf if least else -np.inf
    return LAST if least else FIRST


@dataclass(frozen=True)
class SparseTable:
    """The least (or greatest) of any range of some values.

    Args:
        values: The values.
        choose: `numpy.minimum` or `numpy.maximum`.

    Example:
        >>> table = SparseTable(np.array([4, 2, 9]), np.minimum)
        >>> table.of(np.array([0, 2]), np.array([3, 3])).tolist()
        [2, 9]
    """

    values: np.ndarray
    choose: np.ufunc
    _levels: dict[int, np.ndarray] = field(default_factory=dict, repr=False, compare=False)

    def of(self, start: Ints, stop: Ints) -> np.ndarray:
        """Return the least (or greatest) of each range; of an empty range anything."""
        return self.over(blocks(start, stop), len(start))

    def over(self, levels: "list[Blocks]", ranges: int) -> np.ndarray:
        """Return the least (or greatest) of each range that is two blocks of some level."""
        answer, table = np.zeros(ranges, self.values.dtype), self.values
        for power, (asked, first, last) in enumerate(levels):
            table = self._level(power, table)
            answer[asked] = self.choose(table[first], table[last])
        return answer

    def _level(self, power: int, below: np.ndarray) -> np.ndarray:
        if not power:
            return self.values
        # Two arrays take turns, for all windows: to get fresh memory takes longer than the work.
        if power % 2 not in self._levels:
            self._levels[power % 2] = np.empty_like(self.values)
        table = self._levels[power % 2]
        half = 1 << (power - 1)
        return self.choose(below[:-half], below[half:], out=table[: len(below) - half])  # type: ignore[no-any-return]


Blocks = tuple[Ints, Ints, Ints]
"""The ranges of one level, and where the two blocks of each start."""


def blocks(start: Ints, stop: Ints) -> list[Blocks]:
    """Return the ranges by level; empty ones are of none.

    Example:
        >>> [[part.tolist() for part in level] for level in blocks(np.array([0]), np.array([3]))]
        [[[], [], []], [[0], [0], [1]]]
    """
    level = np.frexp((stop - start).astype(np.float64))[1] - 1
    order = np.argsort(level.astype(np.int8), kind="stable")
    ends = np.searchsorted(level[order], np.arange(int(level.max(initial=-1)) + 2))
    parts = [order[first:last] for first, last in pairwise(ends)]
    return [(part, start[part], stop[part] - (1 << power)) for power, part in enumerate(parts)]


def _blocks(column: Column, slices: Slices) -> list[Blocks]:
    return blocks(slices.start, slices.stop)


def _extreme(feature: Aggregate, column: Column, slices: Slices, table: SparseTable) -> pa.Array:
    per_slice = table.over(column.at(slices, _blocks), len(slices.start))
    filled = slices.stop > slices.start
    if not filled.all():
        none = neutral(table.values.dtype, least=table.choose is np.minimum)
        per_slice = np.where(filled, per_slice, none)
    answer = slices.merged(table.choose, per_slice)
    empty = column.counts(slices) == 0
    return column.once(ordered).decode(answer, empty).cast(arrow_type(feature.result))


def _table_of_least(column: Column) -> SparseTable:
    return SparseTable(column.once(ordered).or_neutral(column.valid, least=True), np.minimum)


def _table_of_greatest(column: Column) -> SparseTable:
    return SparseTable(column.once(ordered).or_neutral(column.valid, least=False), np.maximum)


def _decode_numbers(values: np.ndarray, empty: Mask) -> pa.Array:
    return pa.array(values, mask=empty)


def _decode_integers(dtype: pa.DataType, values: np.ndarray, empty: Mask) -> pa.Array:
    result = pa.array(values, mask=empty)
    return result.cast(pa.int32()).cast(dtype) if pa.types.is_date32(dtype) else result.cast(dtype)


def _decode_ranks(words: pa.Array, values: np.ndarray, empty: Mask) -> pa.Array:
    return words.take(pa.array(values, mask=empty))
