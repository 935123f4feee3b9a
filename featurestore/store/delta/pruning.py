"""Skip files of a snapshot by the statistics in the Delta log."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# Spark writes the statistics of timestamps in whole milliseconds, rounded down.
_TRUNCATED = timedelta(milliseconds=1)
# Spark cuts the statistics of strings to 32 characters: values may exceed a cut upper bound.
_CUT = 32


def may_hold(files: pa.Table, column: str, low: object, high: object) -> np.ndarray:
    """Return which files may contain a value of a column between two bounds.

    Args:
        files: `Snapshot.files`.
        column: The column's name.
        low: The lower bound, included; None for no bound.
        high: The upper bound, included; None for no bound.

    Returns:
        A boolean for each file; true if the log has no statistics of the column.

    Example:
        >>> bounds = pa.array([{"k": 1}, {"k": 5}])
        >>> may_hold(pa.table({"path": ["a", "b"], "min": bounds, "max": bounds}), "k", 2, 9)
        array([False,  True])
    """
    keep = np.ones(files.num_rows, dtype=bool)
    least, greatest = bound(files, "min", column), bound(files, "max", column)
    if least is None or greatest is None:
        return keep
    if high is not None:
        keep &= _at_most(least, high)
    if low is not None:
        if pa.types.is_timestamp(greatest.type):
            greatest = pc.add(greatest, pa.scalar(_TRUNCATED, pa.duration("us")))
        uncertain = _is_cut(greatest)
        keep &= _at_most(low, greatest) | uncertain
    return keep


def bound(files: pa.Table, side: str, column: str) -> pa.ChunkedArray | None:
    """Return the ``"min"`` or ``"max"`` of a column in each file; None without statistics."""
    if side not in files.column_names:
        return None
    kind = files.schema.field(side).type
    if kind.get_field_index(column) < 0:
        return None
    return pc.struct_field(files[side], column)


def _at_most(left: object, right: object) -> np.ndarray:
    return np.asarray(pc.fill_null(pc.less_equal(left, right), True))


def _is_cut(bound: pa.ChunkedArray) -> np.ndarray:
    if not pa.types.is_string(bound.type):
        return np.zeros(len(bound), dtype=bool)
    return np.asarray(pc.fill_null(pc.greater_equal(pc.utf8_length(bound), _CUT), True))
