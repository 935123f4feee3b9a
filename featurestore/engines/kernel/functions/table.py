"""The aggregate functions, by name: to add one, write it and enter it here."""

from collections.abc import Callable

import pyarrow as pa

from featurestore.engines.kernel.column import Column
from featurestore.engines.kernel.functions.booleans import all_of, any_of
from featurestore.engines.kernel.functions.distinct import count_distinct_of
from featurestore.engines.kernel.functions.extremes import max_of, min_of
from featurestore.engines.kernel.functions.first_last import first_of, last_of
from featurestore.engines.kernel.functions.lists import first_n_of, last_n_of
from featurestore.engines.kernel.functions.order_statistics import mode_of, percentile_of, top_n_of
from featurestore.engines.kernel.functions.sums import mean_of, sum_of
from featurestore.engines.kernel.functions.variance import stddev_of, variance_of
from featurestore.engines.kernel.slices import Slices
from featurestore.query.nodes import Aggregate

Aggregator = Callable[[Aggregate, Column, Slices], pa.Array]
"""Gives one value a moment, of the slots that the moment's slices hold."""


def count_of(feature: Aggregate, column: Column, slices: Slices) -> pa.Array:
    """Return how many values each moment has."""
    return pa.array(column.counts(slices))


AGGREGATORS: dict[str, Aggregator] = {
    "all": all_of,
    "any": any_of,
    "count": count_of,
    "count_distinct": count_distinct_of,
    "first": first_of,
    "first_n": first_n_of,
    "last": last_of,
    "last_n": last_n_of,
    "max": max_of,
    "mean": mean_of,
    "min": min_of,
    "mode": mode_of,
    "percentile": percentile_of,
    "stddev": stddev_of,
    "sum": sum_of,
    "top_n": top_n_of,
    "variance": variance_of,
}
