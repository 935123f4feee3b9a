"""The truth that every engine is held to: the library's naive way, by the tests' name for it."""

from featurestore.engines.naive.agreement import agree, bound_of
from featurestore.engines.naive.features import (
    aggregate_value,
    answer,
    answer_row,
    column_value,
    in_window,
    is_asked,
    window_rows,
    window_values,
    winner,
)
from featurestore.engines.naive.functions import IntegerOverflowError, to_float
from featurestore.engines.naive.rows import (
    existing_rows,
    is_tombstone,
    rank,
    row_key,
    spine_key,
    visible_from,
)

__all__ = [
    "IntegerOverflowError",
    "aggregate_value",
    "agree",
    "answer",
    "answer_row",
    "bound_of",
    "column_value",
    "existing_rows",
    "in_window",
    "is_asked",
    "is_tombstone",
    "rank",
    "row_key",
    "spine_key",
    "to_float",
    "visible_from",
    "window_rows",
    "window_values",
    "winner",
]
