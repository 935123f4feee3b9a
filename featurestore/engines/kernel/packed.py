"""Columns without their gaps: only the slots that hold a value, one after the other."""

import numpy as np

from featurestore.engines.arrays import Ints, picked
from featurestore.engines.kernel.column import Column
from featurestore.engines.kernel.slices import Slices


def packed(column: Column, slices: Slices) -> Slices:
    """Return slices of places among the values in place of slices of slots."""
    before = column.running_count
    if before is None:
        return slices
    return Slices(before[slices.start], before[slices.stop], slices.offsets)


def slots_of(column: Column, places: Ints) -> Ints:
    """Return the slots of the values in some places."""
    return places if column.valid is None else column.once(_filled)[places]


def rows_of(column: Column, slots: Ints) -> Ints:
    """Return the rows that some slots hold; they stand in the order of rank."""
    return slots if column.slot_row is None else picked(column.slot_row, slots)


def _filled(column: Column) -> Ints:
    every = np.arange(len(column.values))
    return every if column.valid is None else every[column.valid]
