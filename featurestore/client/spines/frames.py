"""Spines from pandas and Polars frames, whose columns Arrow does not take as they are."""

from typing import Any

import pyarrow as pa

from featurestore.client.spines.python_values import CALL, array_of
from featurestore.client.spines.rows import require_name, without_columns
from featurestore.errors import SpineError

_WITHOUT_ARROW_TYPE = ("Int128", "UInt128", "Object")


def table_of_pandas(frame: Any) -> pa.Table:
    """Return the rows of a pandas DataFrame, without its index.

    Args:
        frame: A ``pandas.DataFrame``, or an object of a subclass.

    Raises:
        SpineError: A column mixes types, or Arrow has no type that holds it.
    """
    names = [str(name) for name in frame.columns]
    for name in names:
        require_name(name)
    if not names:
        return without_columns(len(frame))
    columns = [_array(name, frame.iloc[:, n]) for n, name in enumerate(names)]
    return pa.table(columns, names=names)


def table_of_polars(frame: Any) -> pa.Table:
    """Return the rows of a Polars DataFrame.

    Args:
        frame: A ``polars.DataFrame``.

    Raises:
        SpineError: A column holds Python objects.
    """
    table = without_columns(frame.height)
    for name, dtype in frame.schema.items():
        # Arrow has no integers of 128 bits, and of objects Polars would export the addresses.
        if str(dtype) in _WITHOUT_ARROW_TYPE:
            table = table.append_column(name, array_of(name, frame[name].to_list()))
        else:
            column = _exported(name, frame[name])
            # With Polars' metadata, by which an Enum stays one.
            table = table.append_column(column.schema.field(0), column.column(0))
    return table


def _exported(name: str, column: Any) -> pa.Table:
    try:
        # As a frame: Polars before 1.34 exports times of a series by another type than it says.
        return pa.table(column.to_frame())
    except pa.ArrowException as error:
        raise _unreadable(name, column, error) from None


def _array(name: str, column: Any) -> pa.Array | pa.ChunkedArray:
    if column.dtype == object:
        values = column.to_numpy()
        missing = column.isna().to_numpy()
        if missing.any():
            values = values.copy()
            values[missing] = None
        return array_of(name, values.tolist())
    if hasattr(column, "sparse"):
        column = column.sparse.to_dense()
    try:
        if hasattr(column, "cat"):
            return _categories(column)
        return pa.array(column, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise _unreadable(name, column, error) from None


def _categories(column: Any) -> pa.DictionaryArray:
    """Return categories with their own type: Arrow 21 converts them by NumPy, without zones."""
    codes = column.cat.codes.to_numpy()
    indices = pa.array(codes, mask=codes < 0)
    values = column.cat.categories.to_series()
    dictionary = pa.array(values, from_pandas=True)
    return pa.DictionaryArray.from_arrays(indices, dictionary, ordered=bool(column.cat.ordered))


def _unreadable(name: str, column: Any, error: Exception) -> SpineError:
    return SpineError(
        CALL,
        f"column {name!r} of type {column.dtype} cannot be read: {error}",
        "Cast it to one type, or leave it out.",
    )
