"""Rows of any Arrow types as rows of a Delta table, and back: the same names, types and values.

Delta has fewer types than Arrow, and names that differ in case alone are one name to many readers.
A column whose type Delta lacks is stored as one that holds all its values.
"""

import base64

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.errors import RequestError
from featurestore.store.columns import UTC_MICROS

ROW_NUMBER = "_row"
"""The stored column with the position of each row: a Delta table has no order."""

_LOADED_AS = b"featurestore.loaded_as"

_WIDER = {
    pa.uint8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.decimal128(20, 0),
    pa.float16(): pa.float32(),
    pa.large_string(): pa.string(),
    pa.string_view(): pa.string(),
    pa.large_binary(): pa.binary(),
    pa.binary_view(): pa.binary(),
    pa.date64(): pa.int64(),
    pa.null(): pa.bool_(),
}
_VIEWS = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}
_MOST_DIGITS = 38
_NATIVE = frozenset(
    {
        *(pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64()),
        *(pa.string(), pa.binary(), pa.date32(), UTC_MICROS),
    }
)


def stored_rows(table: pa.Table, call: str) -> pa.Table:
    """Return rows as a Delta table holds them, with their positions.

    Args:
        table: The rows.
        call: The user's call, for messages.

    Raises:
        RequestError: Delta holds no values of a column's type.

    Example:
        >>> rows = stored_rows(pa.table({"n": pa.array([7], pa.uint32())}), "save")
        >>> rows.schema.types, rows.column_names
        ([DataType(int64), DataType(int64)], ['n', '_row'])
    """
    names = stored_names(table.column_names)
    columns = [
        _stored(name, column, call)
        for name, column in zip(table.column_names, table.columns, strict=True)
    ]
    positions = pa.array(np.arange(table.num_rows, dtype=np.int64))
    return pa.table([*columns, positions], names=[*names, ROW_NUMBER])


def restored_rows(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return stored rows with the names, types and order that they had.

    Args:
        rows: The stored rows, in any order, with their positions.
        schema: The schema before.

    Example:
        >>> table = pa.table({"n": pa.array([7], pa.uint32())})
        >>> restored_rows(stored_rows(table, "save"), table.schema) == table
        True
    """
    positions = rows[ROW_NUMBER]
    if pc.any(pc.greater(positions[:-1], positions[1:])).as_py():
        rows = _without_views(rows).take(pc.sort_indices(positions))
    names = stored_names(schema.names)
    columns = [_loaded(rows[name], field) for name, field in zip(names, schema, strict=True)]
    fields = [
        field.with_type(column.type).remove_metadata()
        if _LOADED_AS in (field.metadata or {})
        else field
        for field, column in zip(schema, columns, strict=True)
    ]
    return pa.table(columns, schema=pa.schema(fields, schema.metadata))


def loaded_as(field: pa.Field, dtype: pa.DataType) -> pa.Field:
    """Return a field of a schema whose values get another type when they are loaded.

    Args:
        field: The field, with the type in which its values are saved.
        dtype: The other type. If Arrow has no conversion to it, the field stays as it is.

    Example:
        >>> field = loaded_as(pa.field("n", pa.int16()), pa.uint8())
        >>> rows = stored_rows(pa.table({"n": pa.array([7], pa.int16())}), "save")
        >>> restored_rows(rows, pa.schema([field])).schema.types
        [DataType(uint8)]
    """
    if field.type == dtype:
        return field
    try:
        _converted(pa.chunked_array([pa.array([], field.type)]), dtype)
    except (TypeError, pa.ArrowException):
        return field
    return field.with_metadata({_LOADED_AS: schema_text(pa.schema([pa.field("", dtype)]))})


def _without_views(rows: pa.Table) -> pa.Table:
    """Return rows with other types for the views of delta-rs: Arrow takes no rows of views."""
    for index, field in enumerate(rows.schema):
        if field.type in _VIEWS:
            column = rows.column(index).cast(_VIEWS[field.type])
            rows = rows.set_column(index, field.with_type(column.type), column)
    return rows


def stored_names(names: list[str]) -> list[str]:
    """Return the name of each column in the table: its own, unless another has it in any case.

    Example:
        >>> stored_names(["id", "Id", "_row"])
        ['id', 'Id_2', '_row_2']
    """
    taken = {ROW_NUMBER}
    found = []
    for name in names:
        own, number = name, 1
        while own.lower() in taken:
            number += 1
            own = f"{name}_{number}"
        taken.add(own.lower())
        found.append(own)
    return found


def schema_text(schema: pa.Schema) -> str:
    """Return a schema as text, for a commit's notes."""
    return base64.b64encode(schema.serialize().to_pybytes()).decode()


def schema_of(text: str) -> pa.Schema:
    """Return the schema of a text by `schema_text`.

    Raises:
        ValueError: It is no such text.

    Example:
        >>> schema_of(schema_text(pa.schema({"id": pa.int64()}))).names
        ['id']
    """
    return pa.ipc.read_schema(pa.py_buffer(base64.b64decode(text, validate=True)))


def storage_type(dtype: pa.DataType) -> pa.DataType:
    """Return the type in a Delta table that holds all values of a type.

    Raises:
        TypeError: Delta holds no values of this type.

    Example:
        >>> storage_type(pa.list_(pa.uint8()))
        ListType(list<element: int16>)
    """
    types = pa.types
    if dtype in _NATIVE:
        return dtype
    if dtype in _WIDER:
        return _WIDER[dtype]
    if types.is_decimal(dtype) and dtype.scale >= 0 and dtype.precision <= _MOST_DIGITS:
        return pa.decimal128(dtype.precision, dtype.scale)
    if types.is_time32(dtype):
        return pa.int32()
    if types.is_timestamp(dtype) or types.is_time64(dtype) or types.is_duration(dtype):
        return pa.int64()
    if types.is_fixed_size_binary(dtype):
        return pa.binary()
    return _nested(dtype)


def _nested(dtype: pa.DataType) -> pa.DataType:
    types = pa.types
    if types.is_dictionary(dtype) and not dtype.ordered:  # the order of categories has no place
        return storage_type(dtype.value_type)
    if types.is_list(dtype) or types.is_large_list(dtype) or types.is_fixed_size_list(dtype):
        return pa.list_(pa.field("element", storage_type(dtype.value_type)))
    if types.is_map(dtype):
        return pa.map_(storage_type(dtype.key_type), storage_type(dtype.item_type))
    if types.is_struct(dtype) and dtype.num_fields:
        return pa.struct([pa.field(each.name, storage_type(each.type)) for each in dtype])
    raise TypeError(dtype)


def _stored(name: str, column: pa.ChunkedArray, call: str) -> pa.ChunkedArray:
    try:
        return _converted(column, storage_type(column.type))
    except (TypeError, pa.ArrowException) as error:
        raise RequestError(
            call,
            f"column {name!r} has the type {column.type}, which a Delta table cannot hold",
            "Convert the column, or remove it from the spine.",
        ) from error


def _loaded(column: pa.ChunkedArray, field: pa.Field) -> pa.ChunkedArray:
    values = _restored(column, field.type)
    text = (field.metadata or {}).get(_LOADED_AS)
    return values if text is None else _converted(values, schema_of(text.decode()).field(0).type)


def _restored(column: pa.ChunkedArray, dtype: pa.DataType) -> pa.ChunkedArray:
    return _converted(column.cast(storage_type(dtype)), dtype)


def _converted(column: pa.ChunkedArray, dtype: pa.DataType) -> pa.ChunkedArray:
    """Return the same values in another type, exactly."""
    if column.type == dtype:
        return column
    chunks = [_array(chunk, dtype) for chunk in column.chunks]
    return pa.chunked_array(chunks, dtype)


def _array(array: pa.Array, dtype: pa.DataType) -> pa.Array:
    if pa.types.is_null(dtype):
        return pa.nulls(len(array))
    if pa.types.is_dictionary(array.type):
        # Converted first: Arrow decodes no views of texts, such as categories of Polars.
        values = _array(array.dictionary, dtype)
        return pa.DictionaryArray.from_arrays(array.indices, values).dictionary_decode()
    if pa.types.is_dictionary(dtype):
        found = array.dictionary_encode()
        indices = found.indices.cast(dtype.index_type)
        return pa.DictionaryArray.from_arrays(indices, _array(found.dictionary, dtype.value_type))
    return array.cast(dtype)
