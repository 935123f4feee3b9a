"""last: the value of the highest rank."""

import numpy as np
import pyarrow as pa

from featurestore.engines.kernel.arrays import Ints, taken
from featurestore.engines.kernel.column import Column
from featurestore.engines.kernel.slices import Slices
from featurestore.query.nodes import Aggregate
from featurestore.store.columns import arrow_type


def last_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's latest value that is not null."""
    slot = np.append(column.once(_latest_valid), -1)[slices.stop - 1]
    slot = np.where((slices.stop > slices.start) & (slot >= slices.start), slot, -1)
    if slices.offsets is not None:
        slot = _highest(column, slices, slot)
    return taken(column.values, slot).cast(arrow_type(feature.result))


def _latest_valid(column: Column) -> Ints:
    """Return, a slot, the last slot up to it that holds a value."""
    slots = np.arange(len(column.values))
    if column.valid is None:
        return slots
    return np.maximum.accumulate(np.where(column.valid, slots, -1))


def _highest(column: Column, slices: Slices, slot: Ints) -> Ints:
    """Return, of each moment's slots, the one whose row has the highest rank."""
    if column.slot_row is None:
        return slices.merged(np.maximum, slot)
    row = np.append(column.slot_row, -1)[slot]
    top = slices.merged(np.maximum, row)[slices.owners()]
    return slices.merged(np.maximum, np.where(row == top, slot, -1))
