"""Types of Arrow columns without their encodings, and the conversion of columns to them.

Dictionaries, run ends, views and extension types are encodings: two columns with different ones
can have the same values. Few libraries read all encodings, and some read them wrongly: a null in a
dictionary's column becomes another row's value in ``to_numpy`` of pyarrow.
"""

from collections.abc import Callable
from contextlib import suppress

import pyarrow as pa

from featurestore.engines.arrays import decoded

_VIEWS = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}
# Other extension types have their values in their storage.
_EXTENSIONS = {pa.uuid(): pa.string(), pa.bool8(): pa.bool_()}


def unchanged(dtype: pa.DataType) -> pa.DataType:
    """Return the same type.

    Example:
        >>> unchanged(pa.int8())
        DataType(int8)
    """
    return dtype


def no_type(dtype: pa.DataType) -> bool:
    """Return False.

    Example:
        >>> no_type(pa.int8())
        False
    """
    return False


def plain_type(
    dtype: pa.DataType,
    change: Callable[[pa.DataType], pa.DataType] = unchanged,
    keep: Callable[[pa.DataType], bool] = no_type,
) -> pa.DataType:
    """Return a type without encodings, also inside lists, maps and structs.

    Args:
        dtype: The type of a column.
        change: Returns another type for the type of single values, such as timestamps.
        keep: Tells which types stay as they are, with their encodings.

    Example:
        >>> plain_type(pa.list_(pa.dictionary(pa.int8(), pa.string())))
        ListType(list<item: string>)
    """

    def plain_field(field: pa.Field) -> pa.Field:
        return field.with_type(plain_type(field.type, change, keep))

    if keep(dtype):
        return dtype
    if pa.types.is_map(dtype):
        return pa.map_(plain_field(dtype.key_field), plain_field(dtype.item_field))
    if pa.types.is_struct(dtype):
        return pa.struct([plain_field(field) for field in dtype.fields])
    if pa.types.is_list(dtype):
        return pa.list_(plain_field(dtype.value_field))
    if is_list(dtype):
        return pa.large_list(plain_field(dtype.value_field))
    values = _value_type(dtype)
    return change(dtype) if values == dtype else plain_type(values, change, keep)


def _value_type(dtype: pa.DataType) -> pa.DataType:
    """Return the type of the values of an encoding; the same type if it is none."""
    if dtype in _EXTENSIONS:
        return _EXTENSIONS[dtype]
    if is_of_pandas(dtype):
        return pa.string()
    if isinstance(dtype, pa.BaseExtensionType):
        return dtype.storage_type
    if pa.types.is_dictionary(dtype) or pa.types.is_run_end_encoded(dtype):
        return dtype.value_type
    return _VIEWS.get(dtype, dtype)


def is_list(dtype: pa.DataType) -> bool:
    """Return whether a type is one of Arrow's five list types.

    Example:
        >>> is_list(pa.list_(pa.int8(), 2)), is_list(pa.map_(pa.int8(), pa.int8()))
        (True, False)
    """
    return bool(
        pa.types.is_list(dtype)
        or pa.types.is_large_list(dtype)
        or pa.types.is_fixed_size_list(dtype)
        or pa.types.is_list_view(dtype)
        or pa.types.is_large_list_view(dtype)
    )


def plain_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column's values without encodings, also inside lists, maps and structs.

    Example:
        >>> plain_column(pa.chunked_array([pa.array(["a", None]).dictionary_encode()])).null_count
        1
    """
    return converted(column, plain_type(column.type))


def converted(column: pa.ChunkedArray, dtype: pa.DataType) -> pa.ChunkedArray:
    """Return a column with another type. No value is rounded.

    Args:
        column: The column.
        dtype: The type. It has no encodings but those that the column has at the same place.

    Raises:
        pyarrow.ArrowInvalid: A value does not fit the type.

    Example:
        >>> converted(pa.chunked_array([[1, None]]), pa.decimal128(20, 0)).to_pylist()
        [Decimal('1'), None]
    """
    if column.type == dtype:
        return column
    column = _decoded_pandas(column) if is_of_pandas(column.type) else decoded(column)
    if column.type in _EXTENSIONS:
        value = str if column.type == pa.uuid() else bool
        plain = (None if each is None else value(each) for each in column.to_pylist())
        return pa.chunked_array([pa.array(plain, _EXTENSIONS[column.type])]).cast(dtype)
    if not _has_list_views(column.type):
        with suppress(pa.ArrowNotImplementedError):  # e.g. from a dictionary of string views
            return column.cast(dtype)
    return pa.chunked_array([pa.array(each.to_pylist(), dtype) for each in column.chunks], dtype)


def is_of_pandas(dtype: pa.DataType) -> bool:
    """Return whether values are periods or intervals of pandas, or categories of these.

    Example:
        >>> is_of_pandas(pa.dictionary(pa.int8(), pa.string()))
        False
    """
    if pa.types.is_dictionary(dtype):
        return is_of_pandas(dtype.value_type)
    is_extension = isinstance(dtype, pa.BaseExtensionType)
    return is_extension and dtype.extension_name.startswith("pandas.")


def _decoded_pandas(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the texts of periods and intervals, such as ``2026-01`` and ``(0, 1]``.

    Their storage is a number, or two ends, which mean another value.
    """
    if pa.types.is_dictionary(column.type):
        chunks = [each.dictionary.take(each.indices) for each in column.chunks]
        column = pa.chunked_array(chunks, column.type.value_type)
    if closed := getattr(column.type, "closed", None):
        # Not by pandas, which makes floats of whole ends beside a null.
        start = "[" if closed in ("left", "both") else "("
        end = "]" if closed in ("right", "both") else ")"
        ends = column.cast(column.type.storage_type).to_pylist()
        texts = [each and f"{start}{each['left']}, {each['right']}{end}" for each in ends]
    else:
        values = column.to_pandas()
        pairs = zip(values, values.notna(), strict=True)
        texts = [str(value) if is_value else None for value, is_value in pairs]
    return pa.chunked_array([pa.array(texts, pa.string())])


def _has_list_views(dtype: pa.DataType) -> bool:
    """Return whether there are list views in a type. pyarrow 26 casts slices of them wrongly."""
    if isinstance(dtype, pa.BaseExtensionType):
        return _has_list_views(dtype.storage_type)
    if pa.types.is_list_view(dtype) or pa.types.is_large_list_view(dtype):
        return True
    return any(_has_list_views(dtype.field(index).type) for index in range(dtype.num_fields))
