"""Python values as Arrow arrays, with their time zones whatever the process has set."""

import os
from collections.abc import Sequence
from threading import Lock
from typing import Any

import pyarrow as pa

# pandas-on-Spark (pyspark.pandas) sets it. Arrow then cuts the zone of each time in silence, so
# that 17:00+05:00 becomes 17:00 UTC.
_IGNORED_ZONES = "PYARROW_IGNORE_TIMEZONE"
_changing = Lock()


def python_array(values: Sequence[Any], dtype: pa.DataType | None = None) -> pa.Array:
    """Return Python values as an array; a time with a zone keeps its moment.

    Args:
        values: The values.
        dtype: The array's type. None for the type that Arrow finds.

    Example:
        >>> python_array([1, None])[1].as_py() is None
        True
    """
    if _IGNORED_ZONES not in os.environ:
        return pa.array(values, dtype)
    with _changing:
        before = os.environ.pop(_IGNORED_ZONES, None)
        try:
            return pa.array(values, dtype)
        finally:
            if before is not None:
                os.environ[_IGNORED_ZONES] = before
