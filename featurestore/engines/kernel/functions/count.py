"""count: the number of values, or of rows."""

import pyarrow as pa

from featurestore.engines.kernel.column import Column
from featurestore.engines.kernel.functions import Aggregator
from featurestore.engines.kernel.slices import Slices
from featurestore.query.nodes import Aggregate


def count_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return the number of values at each moment."""
    return pa.array(column.counts(slices))


AGGREGATORS: dict[str, Aggregator] = {"count": count_of}
