"""first_n and last_n: lists of the values of the lowest and of the highest ranks."""

import numpy as np
import pyarrow as pa

from featurestore.definitions.model.types import DataType
from featurestore.engines.arrays import Ints
from featurestore.engines.kernel.column import Column
from featurestore.engines.kernel.functions import Aggregator
from featurestore.engines.kernel.packed import packed, rows_of, slots_of
from featurestore.engines.kernel.slices import Slices
from featurestore.query.nodes import Aggregate
from featurestore.store.columns import arrow_type


def first_n_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's values of the lowest ranks, oldest first."""
    inside = column.at(slices, packed)
    stop = np.minimum(inside.stop, inside.start + _length(feature))
    return _lists(feature, column, Slices(inside.start, stop, inside.offsets), 1)


def last_n_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's values of the highest ranks, newest first."""
    inside = column.at(slices, packed)
    start = np.maximum(inside.start, inside.stop - _length(feature))
    return _lists(feature, column, Slices(start, inside.stop, inside.offsets), -1)


def listed(values: pa.Array, counts: Ints, result: DataType) -> pa.Array:
    """Return lists that divide the values.

    Args:
        values: The values of all lists, one list after the other.
        counts: The length of each list.
        result: The type of the lists.

    Example:
        >>> from featurestore.definitions.model.types import Array, Int64
        >>> listed(pa.array([7, 8, 9]), np.array([2, 0, 1]), Array(Int64)).to_pylist()
        [[7, 8], [], [9]]
    """
    kind = arrow_type(result)
    offsets = pa.array(np.append(0, np.cumsum(counts))).cast(pa.int32())
    return pa.ListArray.from_arrays(offsets, values.cast(kind.value_type), type=kind)


def _length(feature: Aggregate) -> int:
    return feature.number or 0


def _lists(feature: Aggregate, column: Column, ends: Slices, direction: int) -> pa.Array:
    """Return lists of the first values in a direction of rank.

    Args:
        feature: The feature, whose number is the length of the lists.
        column: The column.
        ends: Packed slices, each cut to that many values.
        direction: 1 for ascending ranks, -1 for descending ones.
    """
    slots, counts = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for _, part in ends.pieces():
        positions, owners = part.slots()
        part_slots = slots_of(column, positions)
        order = np.lexsort((direction * rows_of(column, part_slots), owners))
        first = np.searchsorted(owners, np.arange(len(part)))
        in_list = np.arange(len(owners)) - first[owners] < _length(feature)
        slots.append(part_slots[order][in_list])
        counts.append(np.bincount(owners[in_list], minlength=len(part)))
    values = column.values.take(pa.array(np.concatenate(slots)))
    return listed(values, np.concatenate(counts), feature.result)


AGGREGATORS: dict[str, Aggregator] = {"first_n": first_n_of, "last_n": last_n_of}
