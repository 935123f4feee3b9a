"""The aggregate functions, by name: to add one, write it and enter it here."""

from collections.abc import Callable

import pyarrow as pa

from featurestore.engines.kernel.column import Column
from featurestore.engines.kernel.deviation import stddev_of, variance_of
from featurestore.engines.kernel.distinct import count_distinct_of
from featurestore.engines.kernel.ends import first_of, last_of
from featurestore.engines.kernel.extremes import max_of, min_of
from featurestore.engines.kernel.lists import first_n_of, last_n_of
from featurestore.engines.kernel.ranks import mode_of, percentile_of, top_n_of
from featurestore.engines.kernel.slices import Slices
from featurestore.engines.kernel.sums import mean_of, sum_of
from featurestore.engines.kernel.truths import all_of, any_of
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
