"""min and max: a sparse table, one level at a time.

Level k holds the least of every 2**k slots in a row; a slice of n is two such blocks that overlap,
of the greatest power of two in n. Slices are answered at their own level while the table is there,
so that memory stays O(slots).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.engines.kernel.arrays import FIRST, LAST, Ints, Mask, integers
from featurestore.engines.kernel.column import Column
from featurestore.engines.kernel.slices import Slices
from featurestore.engines.kernel.sums import numbers
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
    return _extreme(feature, column, slices, column.once(_candidates_for_min), np.minimum)


def max_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's greatest value, as `min_of` does the least."""
    return _extreme(feature, column, slices, column.once(_candidates_for_max), np.maximum)


def ordered(column: Column) -> Ordered:
    """Return a column's values as numbers of the same order; NaN is NaN, -0.0 is 0.0."""
    dtype = column.values.type
    if pa.types.is_floating(dtype):
        # Adding 0.0 makes -0.0 the 0.0 that it equals.
        return Ordered(column.once(numbers) + 0.0, _decode_numbers)
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


def sweep(values: np.ndarray, start: Ints, stop: Ints, choose: np.ufunc) -> np.ndarray:
    """Return the least (or greatest) of each range of values; of an empty range anything.

    Example:
        >>> sweep(np.array([4, 2, 9]), np.array([0, 2]), np.array([3, 3]), np.minimum).tolist()
        [2, 9]
    """
    answer = np.zeros(len(start), values.dtype)
    level = np.frexp((stop - start).astype(np.float64))[1] - 1
    order = np.argsort(level.astype(np.int8), kind="stable")
    ends = np.searchsorted(level[order], np.arange(int(level.max(initial=-1)) + 2))
    table = values
    for power, (first, last) in enumerate(pairwise(ends)):
        if power:
            half = 1 << (power - 1)
            table = choose(table[:-half], table[half:])
        asked = order[first:last]
        answer[asked] = choose(table[start[asked]], table[stop[asked] - (1 << power)])
    return answer


def _extreme(
    feature: Aggregate, column: Column, slices: Slices, values: np.ndarray, choose: np.ufunc
) -> pa.Array:
    per_slice = sweep(values, slices.start, slices.stop, choose)
    none = neutral(values.dtype, least=choose is np.minimum)
    per_slice = np.where(slices.stop > slices.start, per_slice, none)
    answer = slices.merged(choose, per_slice)
    empty = column.counts(slices) == 0
    return column.once(ordered).decode(answer, empty).cast(arrow_type(feature.result))


def _candidates_for_min(column: Column) -> np.ndarray:
    return column.once(ordered).or_neutral(column.valid, least=True)


def _candidates_for_max(column: Column) -> np.ndarray:
    return column.once(ordered).or_neutral(column.valid, least=False)


def _decode_numbers(values: np.ndarray, empty: Mask) -> pa.Array:
    return pa.array(values, mask=empty)


def _decode_integers(dtype: pa.DataType, values: np.ndarray, empty: Mask) -> pa.Array:
    result = pa.array(values, mask=empty)
    return result.cast(pa.int32()).cast(dtype) if pa.types.is_date32(dtype) else result.cast(dtype)


def _decode_ranks(words: pa.Array, values: np.ndarray, empty: Mask) -> pa.Array:
    return words.take(pa.array(values, mask=empty))
