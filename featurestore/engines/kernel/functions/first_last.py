"""first and last: the value of the lowest and of the highest rank."""

import numpy as np
import pyarrow as pa

from featurestore.engines.arrays import LAST, Ints, taken
from featurestore.engines.kernel.column import Column
from featurestore.engines.kernel.functions import Aggregator
from featurestore.engines.kernel.slices import Slices
from featurestore.query.nodes import Aggregate
from featurestore.store.columns import arrow_type


def first_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's value of the lowest rank, without nulls."""
    slot = np.append(column.once(_next_valid), LAST)[slices.start]
    return _values(feature, column, slices, np.where(slot < slices.stop, slot, -1), np.minimum)


def last_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return each moment's value of the highest rank, without nulls."""
    slot = np.append(column.once(_latest_valid), -1)[slices.stop - 1]
    slot = np.where((slices.stop > slices.start) & (slot >= slices.start), slot, -1)
    return _values(feature, column, slices, slot, np.maximum)


def _values(
    feature: Aggregate, column: Column, slices: Slices, slot: Ints, choose: np.ufunc
) -> pa.Array:
    """Return the values in the slots: one for each moment.

    Args:
        feature: The feature.
        column: The column.
        slices: The slices.
        slot: The slot of each slice; -1 for none.
        choose: `numpy.minimum` for the lowest rank among a moment's slots, or `numpy.maximum`.
    """
    if slices.offsets is not None:
        slot = _extreme(column, slices, slot, choose)
    return taken(column.values, slot).cast(arrow_type(feature.result))


def _next_valid(column: Column) -> Ints:
    """Return, for each slot, the first one from it on that holds a value; `LAST` for none."""
    slots = np.arange(len(column.values))
    if column.valid is None:
        return slots
    next_valid: Ints = np.minimum.accumulate(np.where(column.valid, slots, LAST)[::-1])[::-1]
    return next_valid


def _latest_valid(column: Column) -> Ints:
    """Return, for each slot, the last one up to it that holds a value; -1 for none."""
    slots = np.arange(len(column.values))
    if column.valid is None:
        return slots
    latest_valid: Ints = np.maximum.accumulate(np.where(column.valid, slots, -1))
    return latest_valid


def _extreme(column: Column, slices: Slices, slot: Ints, choose: np.ufunc) -> Ints:
    """Return, of each moment's slots, the one whose row has the chosen rank; -1 for none."""
    none = -1 if choose is np.maximum else LAST
    row = slot if column.slot_row is None else np.append(column.slot_row, -1)[slot]
    row = np.where(slot < 0, none, row)
    chosen = slices.merged(choose, row)[slices.owners()]
    # A row may have two slots, but a moment never has both.
    return slices.merged(np.maximum, np.where((row == chosen) & (slot >= 0), slot, -1))


AGGREGATORS: dict[str, Aggregator] = {"first": first_of, "last": last_of}
