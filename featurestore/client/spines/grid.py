"""A spine from a time grid: each key at regularly spaced moments."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from featurestore.client.arguments import checked_arguments
from featurestore.client.arrow_rows import rows_at
from featurestore.client.spines.read import read_spine
from featurestore.errors import SpineError
from featurestore.store.columns import UTC_MICROS
from featurestore.times import parse_duration_argument, parse_moment_argument, to_micros

_MOST_ROWS = 2**31


@checked_arguments
def time_grid(
    keys: Any,
    *,
    start: str | datetime,
    end: str | datetime,
    every: str | timedelta,
    timestamp_field: str = "event_timestamp",
) -> pa.Table:
    """Return a spine with each row of keys at each moment of ``[start, end)``.

    Args:
        keys: The keys: a list of dicts, any frame, or a file's path. Keys from CSV are texts in
            the grid, and get their declared types in a call for features.
        start: The first moment. A date is its midnight in UTC.
        end: The end of the grid, exclusive.
        every: The step between moments, such as ``"1d"``.
        timestamp_field: The name of the time column.

    Returns:
        A row for each key and moment, in the order of the keys and then of the moments.

    Raises:
        SpineError: The step is 0, the end is not after the start, the keys have a column with the
            name of the time column, or there are more than 2**31 rows.

    Example:
        >>> keys = [{"id": 1}, {"id": 2}]
        >>> grid = time_grid(keys, start="2026-01-01", end="2026-01-03", every="1d")
        >>> grid["id"].to_pylist()
        [1, 1, 2, 2]
    """
    rows = read_spine(keys)
    call = f"time_grid(every={every!r})"
    if timestamp_field in rows.column_names:
        raise SpineError(
            call,
            f"the keys have a column {timestamp_field!r}",
            "Remove it, or use another timestamp_field=. The grid adds this column.",
        )
    first = parse_moment_argument(call, "start", start)
    last = parse_moment_argument(call, "end", end)
    moments = _moments(call, first, last, parse_duration_argument(call, "every", every))
    if rows.num_rows * len(moments) > _MOST_ROWS:
        raise SpineError(
            call,
            f"{rows.num_rows:,} keys at {len(moments):,} moments are too many rows",
            "Use a longer step, fewer keys, or several grids of shorter time.",
        )
    positions = pa.array(np.repeat(np.arange(rows.num_rows), len(moments)))
    times = pa.array(np.tile(np.arange(moments.start, moments.stop, moments.step), rows.num_rows))
    times = times.cast(UTC_MICROS)
    return rows_at(rows, positions).append_column(timestamp_field, times)


def _moments(call: str, start: datetime, end: datetime, step: int) -> range:
    first, last = to_micros(start), to_micros(end)
    if step == 0 or last <= first:
        raise SpineError(
            call,
            "the step is 0" if step == 0 else f"the end, {end}, is not after the start, {start}",
            "Use a start before the end, and a step such as every='1d'.",
        )
    return range(first, last, step)
