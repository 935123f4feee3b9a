"""A spine from a time grid: every key at regular moments."""

from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from featurestore.client.arrow_rows import rows_at
from featurestore.client.spines.read import read_spine
from featurestore.errors import SpineError
from featurestore.store.columns import UTC_MICROS
from featurestore.times import parse_duration, parse_moment, to_micros

_MOST_ROWS = 2**31


def time_grid(
    keys: Any,
    *,
    start: str | datetime,
    end: str | datetime,
    every: str,
    timestamp_field: str = "event_timestamp",
) -> pa.Table:
    """Return a spine with every row of keys at each moment of ``[start, end)``.

    Args:
        keys: Rows of keys: a list of dicts, any frame, or a path.
        start: The first moment; a bare date is its midnight in UTC.
        end: The moment before which the grid ends.
        every: The step, such as ``"1d"``.
        timestamp_field: The name of the time column.

    Returns:
        Keys times moments rows, key by key, each key's moments ascending.

    Raises:
        SpineError: The step is 0, the end is not after the start, or the keys have that column.

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
            "Leave it out: the grid gives it.",
        )
    moments = _moments(call, parse_moment(start), parse_moment(end), parse_duration(every))
    if rows.num_rows * len(moments) > _MOST_ROWS:
        raise SpineError(
            call,
            f"{rows.num_rows:,} keys at {len(moments):,} moments are too many rows",
            "Take a longer step, fewer keys, or a part of the time at once.",
        )
    picks = pa.array(np.repeat(np.arange(rows.num_rows), len(moments)))
    times = pa.array(np.tile(np.arange(moments.start, moments.stop, moments.step), rows.num_rows))
    times = times.cast(UTC_MICROS)
    return rows_at(rows, picks).append_column(timestamp_field, times)


def _moments(call: str, start: datetime, end: datetime, step: int) -> range:
    first, last = to_micros(start), to_micros(end)
    if step == 0 or last <= first:
        raise SpineError(
            call,
            "the step is 0" if step == 0 else f"the end, {end}, is not after the start, {start}",
            "Give start before end, and a step such as '1d'.",
        )
    return range(first, last, step)
