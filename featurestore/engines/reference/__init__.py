"""The reference: the rules of point-in-time answers in plain Python, obvious by reading.

The tests and `featurestore verify` compare every engine with it, and explanations are made by its
rules. One function a rule, no cleverness, O(spine x rows), and nothing of the kernel. Times are
integers (microseconds), rows are dictionaries of stored columns, values are Python's own. Where
this and an engine differ, read the rules; where they leave a choice, it is written here.

`rows` says which rows exist and how they rank, `features` what is answered from them, `functions`
what an aggregate makes of its window's values, and `agreement` how near floats must come.
"""

from featurestore.engines.reference.agreement import agree, bound_of
from featurestore.engines.reference.features import (
    aggregate_value,
    answer,
    answer_row,
    column_value,
    in_window,
    is_answerable,
    window_rows,
    window_values,
    winner,
)
from featurestore.engines.reference.functions import IntegerOverflowError, to_float
from featurestore.engines.reference.rows import (
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
    "is_answerable",
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
