"""min and max: the extreme of each slice, computed on numbers in the order of the values."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.engines.arrays import Absent, Mask, integers, nullable
from featurestore.engines.kernel.column import Column
from featurestore.engines.kernel.functions import Aggregator
from featurestore.engines.kernel.functions.sums import plain_numbers
from featurestore.engines.kernel.range_queries.range_table import Layout, Ranges, RangeTable
from featurestore.engines.kernel.slices import Slices
from featurestore.query.nodes import Aggregate
from featurestore.store.columns import arrow_type


@dataclass(frozen=True)
class Ordered:
    """A column's values as numbers in the same order, and the function to decode them.

    Args:
        numbers: The number in each slot; any number where there is no value.
        decode: Returns the values of numbers, null where a moment has none.
    """

    numbers: np.ndarray
    decode: Callable[[np.ndarray, Absent | None], pa.Array]

    def table(self, valid: Mask | None, choose: np.ufunc) -> RangeTable:
        """Return a range table of the numbers, with the neutral number where there is no value."""
        table = RangeTable(self.numbers, choose)
        if valid is None:
            return table
        return RangeTable(np.where(valid, self.numbers, table.neutral), choose)


def min_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's least value; NaN if a value is NaN, null without values."""
    return _extreme(feature, column, slices, column.once(_table_of_least))


def max_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's greatest value; NaN if a value is NaN, null without values."""
    return _extreme(feature, column, slices, column.once(_table_of_greatest))


def ordered(column: Column) -> Ordered:
    """Return a column's values as numbers in the same order; NaN stays NaN, -0.0 becomes 0.0."""
    dtype = column.values.type
    if pa.types.is_floating(dtype):
        return Ordered(plain_numbers(column), _decode_numbers)
    if pa.types.is_integer(dtype) or pa.types.is_temporal(dtype):
        return Ordered(integers(column.values), partial(_decode_integers, dtype))
    encoded = column.values.dictionary_encode()
    order = pc.sort_indices(encoded.dictionary).to_numpy().astype(np.int64)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    codes = (
        np.append(rank, 0)[integers(encoded.indices)]
        if len(order)
        else np.zeros(len(column.values), np.int64)
    )
    return Ordered(codes, partial(_decode_ranks, encoded.dictionary.take(pa.array(order))))


def _layout(column: Column) -> Layout:
    return Layout(len(column.values))


def _ranges(column: Column, slices: Slices) -> Ranges:
    return Ranges(column.once(_layout), slices.start, slices.stop)


def _extreme(feature: Aggregate, column: Column, slices: Slices, table: RangeTable) -> pa.Array:
    per_slice = table.of(column.at(slices, _ranges))
    if slices.offsets is not None:
        per_slice = np.where(slices.stop > slices.start, per_slice, table.neutral)
    answer = slices.merged(table.choose, per_slice)
    decoded = column.once(ordered).decode(answer, column.absent(slices))
    return decoded.cast(arrow_type(feature.result))


def _table_of_least(column: Column) -> RangeTable:
    return column.once(ordered).table(column.valid, np.minimum)


def _table_of_greatest(column: Column) -> RangeTable:
    return column.once(ordered).table(column.valid, np.maximum)


def _decode_numbers(values: np.ndarray, absent: Absent | None) -> pa.Array:
    return nullable(values, absent)


def _decode_integers(dtype: pa.DataType, values: np.ndarray, absent: Absent | None) -> pa.Array:
    result = nullable(values, absent)
    return result.cast(pa.int32()).cast(dtype) if pa.types.is_date32(dtype) else result.cast(dtype)


def _decode_ranks(texts: pa.Array, values: np.ndarray, absent: Absent | None) -> pa.Array:
    return texts.take(nullable(values, absent))


AGGREGATORS: dict[str, Aggregator] = {"min": min_of, "max": max_of}
