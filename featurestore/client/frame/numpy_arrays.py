"""Columns as NumPy arrays, in which a null is never a value."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.client.plain_types import plain_column
from featurestore.errors import RequestError

_EXACT_FLOATS = 2**53
"""Every integer up to this one is exact as a float64."""


def feature_array(name: str, column: pa.ChunkedArray) -> np.ndarray:
    """Return a feature as float64, with nulls as NaN and Booleans as 0 and 1.

    Args:
        name: The feature's name, for the error.
        column: The values.

    Raises:
        RequestError: The feature is not numeric.

    Example:
        >>> feature_array("flag", pa.chunked_array([[True, None]]))
        array([ 1., nan])
    """
    plain = plain_column(column)
    kind = plain.type
    if not (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_boolean(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_null(kind)
    ):
        raise RequestError(
            "to_numpy()",
            f"feature {name!r} has the type {kind}, which is not numeric",
            "Use a service without it, or encode it: to_pandas().",
        )
    if pa.types.is_boolean(kind):
        plain = plain.cast(pa.int8())
    numbers: np.ndarray = plain.cast(pa.float64(), safe=False).to_numpy()
    return numbers


def label_array(column: pa.ChunkedArray) -> np.ndarray:
    """Return a label. Its type is the nearest type of NumPy that has a missing value.

    Args:
        column: The values.

    Returns:
        Without nulls, numbers and Booleans with their own type. With nulls, floats and integers as
        floats with NaN; integers that a float64 does not hold exactly as Python integers with
        None; Booleans as True, False and None. Times as ``datetime64`` and ``timedelta64`` with
        NaT, in UTC. All other values, such as texts and decimals, as Python objects with None.

    Example:
        >>> label_array(pa.chunked_array([pa.array(["a", None]).dictionary_encode()])).tolist()
        ['a', None]
    """
    plain = plain_column(column)
    try:
        if pa.types.is_nested(plain.type) or _is_inexact_as_float(plain):
            values = np.empty(len(plain), dtype=object)
            values[:] = plain.to_pylist()
            return values
        array: np.ndarray = plain.to_numpy()
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise RequestError(
            "to_numpy()",
            f"the label of type {column.type} has a value that Python cannot hold: {error}",
            "Convert the column before it becomes part of the spine, or call to_arrow().",
        ) from None
    return array


def _is_inexact_as_float(column: pa.ChunkedArray) -> bool:
    """Return whether integers with nulls would become other numbers as floats."""
    if not (pa.types.is_integer(column.type) and column.null_count):
        return False
    extremes = pc.min_max(column).as_py()
    return any(abs(each or 0) > _EXACT_FLOATS for each in extremes.values())
