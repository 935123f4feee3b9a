"""Packed columns: only the slots that hold a value, without gaps."""

import numpy as np

from featurestore.engines.arrays import Ints, picked
from featurestore.engines.kernel.column import Column
from featurestore.engines.kernel.slices import Slices


def packed(column: Column, slices: Slices) -> Slices:
    """Return the slices as positions in the packed column."""
    before = column.running_count
    if before is None:
        return slices
    return Slices(before[slices.start], before[slices.stop], slices.offsets)


def slots_of(column: Column, positions: Ints) -> Ints:
    """Return the slots of some positions in the packed column."""
    return positions if column.valid is None else column.once(_filled)[positions]


def rows_of(column: Column, slots: Ints) -> Ints:
    """Return the rows in some slots; rows are numbered in the order of (code, rank)."""
    return slots if column.slot_row is None else picked(column.slot_row, slots)


def _filled(column: Column) -> Ints:
    """Return the slots that hold a value."""
    every = np.arange(len(column.values))
    return every if column.valid is None else every[column.valid]
