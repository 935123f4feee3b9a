"""Rows as a pandas DataFrame: integers stay integers, and nulls stay nulls."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.client.frame.pandas_origin import PandasOrigin
from featurestore.client.plain_types import is_list, is_of_pandas, plain_column
from featurestore.errors import RequestError
from featurestore.optional import optional

if TYPE_CHECKING:
    import pandas

_CALL = "to_pandas()"
_NULLABLE = {
    pa.int8(): "Int8",
    pa.int16(): "Int16",
    pa.int32(): "Int32",
    pa.int64(): "Int64",
    pa.uint8(): "UInt8",
    pa.uint16(): "UInt16",
    pa.uint32(): "UInt32",
    pa.uint64(): "UInt64",
    pa.bool_(): "boolean",
}
_TEXTS = (pa.string(), pa.large_string())


def pandas_frame(table: pa.Table, origin: PandasOrigin | None = None) -> "pandas.DataFrame":
    """Return rows as a pandas DataFrame.

    Args:
        table: The rows.
        origin: The index, labels and data types of the spine. None if it is not from pandas.

    Raises:
        SetupError: pandas is not installed.
        RequestError: pandas cannot hold a column.

    Example:
        >>> pandas_frame(pa.table({"n": [2**53 + 1, None]}))["n"].tolist()
        [9007199254740993, <NA>]
    """
    pd = optional("pandas", _CALL)
    dtypes = {} if origin is None else origin.dtypes
    # The numbers are names for now: two columns may have the same name.
    columns = {
        number: _series(pd, name, column, dtypes.get(name))
        for number, (name, column) in enumerate(
            zip(table.column_names, table.columns, strict=True)
        )
    }
    frame: pandas.DataFrame = pd.DataFrame(columns, index=pd.RangeIndex(table.num_rows))
    labels = {} if origin is None else origin.labels
    frame.columns = pd.Index([labels.get(name, name) for name in table.column_names])
    if origin is not None:
        frame.index = origin.row_index()
    return frame


def _series(pd: Any, name: str, column: pa.ChunkedArray, dtype: Any) -> "pandas.Series[Any]":
    """Return a column as a Series whose index is 0, 1, 2 and so on.

    Args:
        pd: The package pandas.
        name: The column's name, for errors.
        column: The values.
        dtype: The data type in the pandas frame from which the column comes, or its name. None if
            the column does not come from pandas.
    """
    try:
        known = None if dtype is None else pd.api.types.pandas_dtype(dtype)
    except TypeError:  # the name of a type that this version of pandas does not have
        known = None
    from_arrow = getattr(known, "__from_arrow__", None)
    try:
        if from_arrow is not None:
            return pd.Series(from_arrow(_for_extension(known, column)))
    except (
        pa.ArrowException,
        TypeError,
        ValueError,
        NotImplementedError,
    ):  # the column was changed since
        known = None
    try:
        series = _converted_series(pd, column, known)
        return series.astype(known) if isinstance(known, pd.SparseDtype) else series
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise RequestError(
            _CALL,
            f"pandas cannot hold column {name!r} of type {column.type}: {error}",
            "Convert the column before it becomes part of the spine, or call to_arrow().",
        ) from None


def _for_extension(dtype: Any, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the values in the form that a data type of pandas reads."""
    if hasattr(dtype, "pyarrow_dtype") or isinstance(column.type, pa.BaseExtensionType):
        return column
    return plain_column(column)


def _converted_series(pd: Any, column: pa.ChunkedArray, dtype: Any) -> "pandas.Series[Any]":
    if pa.types.is_dictionary(column.type) and not pa.types.is_nested(column.type.value_type):
        return pd.Series(_categorical(pd, column, dtype))
    if column.type == pa.uuid() or is_of_pandas(column.type):
        return column.to_pandas()
    plain = plain_column(column)
    if pa.types.is_nested(plain.type) and not _is_list_of_exact_values(plain):
        return pd.Series(_objects(plain), dtype=object)
    if dtype is not None and dtype.kind == "O" and not pa.types.is_nested(plain.type):
        values = plain.to_numpy() if plain.type in _TEXTS else _objects(plain)
        return pd.Series(values, dtype=object)
    if plain.null_count and plain.type in _NULLABLE:
        return pd.Series(pd.array([], _NULLABLE[plain.type]).dtype.__from_arrow__(plain))
    return plain.to_pandas()


def _categorical(pd: Any, column: pa.ChunkedArray, dtype: Any) -> "pandas.Categorical":
    """Return values with categories. Arrow's categories, unlike those of pandas, may repeat."""
    if is_of_pandas(column.type):
        one = column.unify_dictionaries().combine_chunks()
        codes = one.indices.fill_null(-1).to_numpy()
        known = pd.Index(one.dictionary.to_pandas())
        return pd.Categorical.from_codes(codes, known, ordered=column.type.ordered)
    words = [plain_column(pa.chunked_array([chunk.dictionary])) for chunk in column.chunks]
    values = plain_column(column)
    known = pa.chunked_array([c for w in words for c in w.chunks], values.type).unique()
    known = known.drop_null()
    if pa.types.is_floating(known.type):
        known = known.filter(pc.invert(pc.is_nan(known)))
    codes = pc.index_in(values, value_set=known).fill_null(-1).to_numpy()
    same = getattr(dtype, "categories", None)
    if same is not None and same.tolist() == known.to_pylist():
        return pd.Categorical.from_codes(codes, dtype=dtype)
    categories = pd.Index(_converted_series(pd, pa.chunked_array([known]), None))
    return pd.Categorical.from_codes(codes, categories, ordered=column.type.ordered)


def _is_list_of_exact_values(column: pa.ChunkedArray) -> bool:
    """Return whether pyarrow makes NumPy arrays of the lists without a loss.

    It makes floats of integers with nulls, and drops time zones.
    """
    if not is_list(column.type):
        return False
    item = column.type.value_type
    if pa.types.is_nested(item) or (pa.types.is_timestamp(item) and item.tz is not None):
        return False
    # pyarrow looks at all items, also at those of lists that are null.
    return item not in _NULLABLE or not any(chunk.values.null_count for chunk in column.chunks)


def _objects(column: pa.ChunkedArray) -> np.ndarray:
    """Return Python objects, and for each list an array of them."""
    cells = np.empty(len(column), dtype=object)
    for row, value in enumerate(column.to_pylist()):
        if isinstance(value, list) and is_list(column.type):
            cells[row] = np.empty(len(value), dtype=object)
            cells[row][:] = value
        else:
            cells[row] = value
    return cells
