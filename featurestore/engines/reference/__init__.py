"""The reference: the rules of point-in-time answers in plain Python.

The tests and `featurestore verify` compare every engine with the reference, and explanations use
its functions. It is written to be read: one function for each rule, no optimization, and nothing
of the kernel. An answer takes O(spine rows x stored rows).

Times are integers (UTC microseconds), rows are dictionaries of stored columns, and values are
Python objects. If an engine and the reference differ, docs/semantics.md decides. Where that page
leaves a choice, the reference makes it.

- `rows`: which stored rows are valid at a moment, and their rank.
- `features`: the answer from the valid rows.
- `functions`: the aggregation functions.
- `agreement`: how near a float must come to the reference.
"""

from featurestore.engines.reference.agreement import agree, error_bound
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
    is_tombstone,
    rank,
    row_key,
    spine_key,
    valid_rows,
    visible_from,
)

__all__ = [
    "IntegerOverflowError",
    "aggregate_value",
    "agree",
    "answer",
    "answer_row",
    "column_value",
    "error_bound",
    "in_window",
    "is_answerable",
    "is_tombstone",
    "rank",
    "row_key",
    "spine_key",
    "to_float",
    "valid_rows",
    "visible_from",
    "window_rows",
    "window_values",
    "winner",
]
