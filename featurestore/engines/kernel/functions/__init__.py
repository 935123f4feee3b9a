"""The aggregation functions: each computes a value for each moment from slices of rows.

A module enters its functions in its own ``AGGREGATORS``, by the names of their specifications;
`table` collects them from all modules.
"""

from collections.abc import Callable

import pyarrow as pa

from featurestore.engines.kernel.column import Column
from featurestore.engines.kernel.slices import Slices
from featurestore.query.nodes import Aggregate

Aggregator = Callable[[Aggregate, Column, Slices], pa.Array]
"""Returns a value for each moment, from the column's values in the moment's slices."""
