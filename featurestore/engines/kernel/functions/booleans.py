"""any and all of boolean values."""

import pyarrow as pa

from featurestore.engines.arrays import Ints, integers, running
from featurestore.engines.kernel.column import Column
from featurestore.engines.kernel.functions import Aggregator
from featurestore.engines.kernel.slices import Slices
from featurestore.query.nodes import Aggregate


def any_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return whether any value of each moment is true; null without values."""
    true = slices.sums(column.once(_running_true))
    return pa.array(true > 0, mask=column.absent(slices).mask)


def all_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return whether all values of each moment are true; null without values."""
    true, counts = slices.sums(column.once(_running_true)), column.counts(slices)
    return pa.array(true == counts, mask=column.absent(slices).mask)


def _running_true(column: Column) -> Ints:
    true = integers(column.values)
    return running(true if column.valid is None else true * column.valid)


AGGREGATORS: dict[str, Aggregator] = {"any": any_of, "all": all_of}
