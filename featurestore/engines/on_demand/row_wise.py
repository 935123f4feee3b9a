"""A trial of on-demand functions: a few rows by themselves must give what they gave among others.

A function that sees other rows (a mean over the table, a running sum) would give one value in a
training set and another one for a single request.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from featurestore.engines.reference.agreement import agree

Columns = Mapping[str, pa.ChunkedArray]
"""Computed columns by name."""

_NEAR = 1e-9


def seen_others(inputs: pa.Table, whole: Columns, compute: Callable[[pa.Table], Columns]) -> str:
    """Return how a row's answer depends on other rows, or ``""`` where none was found to.

    Args:
        inputs: The rows.
        whole: Their answers.
        compute: Gives the answers to other rows.

    Example:
        >>> import pyarrow.compute as pc
        >>> rows = pa.table({"x": [1, 2, 6]})
        >>> def mean(table):
        ...     return {"mean": pa.chunked_array([[pc.mean(table["x"]).as_py()] * len(table)])}
        >>> seen_others(rows, mean(rows), mean)
        "row 1 gives 'mean' = 4.0 without the others, and 3.0 among them"
    """
    last = inputs.num_rows - 1
    if last < 1:
        return ""
    # Two of them where there are more: a running sum shows at the end, a shift in the middle.
    rows = [last // 2, last] if last > 1 else [last]
    fewer = compute(inputs.take(rows))
    for name, values in whole.items():
        for place, row in enumerate(rows):
            among, alone = values[row].as_py(), fewer[name][place].as_py()
            if not same_answer(among, alone):
                return (
                    f"row {row} gives {name!r} = {alone!r} without the others, "
                    f"and {among!r} among them"
                )
    return ""


def same_answer(among: Any, alone: Any) -> bool:
    """Return whether a row's answer among others is the one by itself; floats may be off by 1e-9.

    A library may add up or multiply many numbers another way than a few.

    Example:
        >>> same_answer(0.1 + 0.2, 0.3), same_answer([1.0, None], [1.0, 2.0])
        (True, False)
    """
    return agree(among, alone, _NEAR * _size(among))


def _size(value: Any) -> float:
    if isinstance(value, list | tuple):
        return max(map(_size, value), default=0.0)
    return abs(value) if isinstance(value, float) and math.isfinite(value) else 0.0
