"""A stored column, laid out in the slots that slices refer to."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar, cast

import pyarrow as pa

from featurestore.engines.arrays import (
    Absent,
    Ints,
    Mask,
    both,
    picked,
    running,
    validity,
    whole,
)
from featurestore.engines.kernel.corrections import Corrections
from featurestore.engines.kernel.slices import Slices
from featurestore.engines.kernel.validity import Events

T = TypeVar("T")


@dataclass(frozen=True)
class Column:
    """Values in slots.

    Args:
        values: The value in each slot; nulls for ``"*"``, where only their number matters.
        valid: Which slots hold a value; None if all do.
        slot_row: The number of the row in each slot, in the order of (code, rank); None if it is
            the slot's own number.
    """

    values: pa.Array
    valid: Mask | None
    slot_row: Ints | None = None

    @cached_property
    def running_count(self) -> Ints | None:
        """The number of values before each slot; None if every slot has one."""
        return None if self.valid is None else running(self.valid)

    def counts(self, slices: Slices) -> Ints:
        """Return the number of values of each moment."""
        return self.at(slices, _counts)

    def absent(self, slices: Slices) -> Absent:
        """Return which moments have no value."""
        return self.at(slices, _absent)

    def once(self, prepare: "Callable[[Column], T]") -> T:
        """Return a function's result for this column, computed once for all windows."""
        if prepare not in self._prepared:
            self._prepared[prepare] = prepare(self)
        return cast("T", self._prepared[prepare])

    def at(self, slices: Slices, compute: "Callable[[Column, Slices], T]") -> T:
        """Return a function's result for this column and some slices, computed once for both."""
        # PERF: aggregates of one window share counts, nulls and sums: 0.7 ms instead of 4.0 ms for
        # the nulls of 8 columns of 500,000 rows (ADR 11). The id is safe: the memo lives no longer
        # than the slices of one call, and the call holds its columns.
        key = (id(self), compute)
        if key not in slices.memo:
            slices.memo[key] = compute(self, slices)
        return cast("T", slices.memo[key])

    @cached_property
    def _prepared(self) -> dict[object, object]:
        return {}


def _absent(column: Column, slices: Slices) -> Absent:
    return Absent(column.counts(slices) == 0)


def _counts(column: Column, slices: Slices) -> Ints:
    if column.running_count is None:
        return slices.lengths()
    return slices.sums(column.running_count)


def lay_out(rows: pa.Table, name: str, events: Events, corrections: Corrections | None) -> Column:
    """Return a stored column, or ``"*"``, in the slots of the events and their corrections."""
    slot_row = None if corrections is None else corrections.slot_row
    hidden = None if corrections is None else corrections.hidden
    shown = None if hidden is None else ~hidden
    if name == "*":
        slots = len(events) if slot_row is None else len(slot_row)
        return Column(pa.nulls(slots), shown, slot_row)
    source = events.source
    if slot_row is not None:
        source = slot_row if source is None else picked(source, slot_row)
    values = whole(rows[name])
    if source is not None:
        values = values.take(pa.array(source))
    return Column(values, both(validity(values), shown), slot_row)
