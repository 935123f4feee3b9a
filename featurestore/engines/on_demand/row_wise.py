"""A check of on-demand functions: a row's features must not depend on other rows.

A function that uses other rows (a mean over the table, a running sum) would return one value in a
training set, and another value for a single request. So two rows are computed once more, without
the others.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from featurestore.engines.reference.agreement import agree

Columns = Mapping[str, pa.ChunkedArray]
"""Computed columns by name."""

_TOLERANCE = 1e-9


def other_rows_problem(
    inputs: pa.Table, results: Columns, compute: Callable[[pa.Table], Columns]
) -> str:
    """Return how a row's features depend on other rows, or ``""`` if two rows do not.

    Args:
        inputs: The rows.
        results: Their features.
        compute: Returns the features of any rows.

    Example:
        >>> import pyarrow.compute as pc
        >>> rows = pa.table({"x": [1, 2, 6]})
        >>> def mean(table):
        ...     return {"mean": pa.chunked_array([[pc.mean(table["x"]).as_py()] * len(table)])}
        >>> other_rows_problem(rows, mean(rows), mean)
        "'mean' of row 1 is 3.0 in a table of 3 rows, and 4.0 in a table of 2 of them"
    """
    last = inputs.num_rows - 1
    if last < 1:
        return ""
    # Of three rows or more, two: a running sum is wrong at the end, a shift in the middle.
    rows = [last // 2, last] if last > 1 else [last]
    fewer = compute(inputs.take(rows))
    for name, values in results.items():
        for position, row in enumerate(rows):
            among, alone = values[row].as_py(), fewer[name][position].as_py()
            if not same_answer(among, alone):
                return (
                    f"{name!r} of row {row} is {among!r} in a table of {inputs.num_rows} rows, "
                    f"and {alone!r} in a table of {len(rows)} of them"
                )
    return ""


def same_answer(among: Any, alone: Any) -> bool:
    """Return whether a row has the same feature among other rows and alone.

    Floats may differ by 1e-9 of the value: a library may add or multiply many numbers in another
    order than a few.

    Args:
        among: The feature, computed among other rows.
        alone: The feature, computed from the row alone.

    Example:
        >>> same_answer(0.1 + 0.2, 0.3), same_answer([1.0, None], [1.0, 2.0])
        (True, False)
    """
    return agree(among, alone, _TOLERANCE * _size(among))


def _size(value: Any) -> float:
    """Return the greatest absolute value of the finite floats in a value."""
    if isinstance(value, list | tuple):
        return max(map(_size, value), default=0.0)
    return abs(value) if isinstance(value, float) and math.isfinite(value) else 0.0
