"""Selecting rows of a table with columns of any type, string views and run ends included."""

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.engines.arrays import decoded

# Delta tables and Polars return text as string views, which pyarrow cannot filter or take.
_PLAIN = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}


def rows_where(table: pa.Table, mask: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Return the rows where a mask holds, all columns with their types.

    Example:
        >>> table = pa.table({"word": pa.array(["a", "b"], pa.string_view())})
        >>> rows_where(table, pa.array([False, True]))["word"].to_pylist()
        ['b']
    """
    return _restored(plain(table).filter(mask), table.schema)


def rows_at(table: pa.Table, positions: pa.Array) -> pa.Table:
    """Return the rows at some positions, all columns with their types.

    Example:
        >>> rows_at(pa.table({"n": [7, 8]}), pa.array([1, 1]))["n"].to_pylist()
        [8, 8]
    """
    if not table.num_columns:  # pyarrow would forget the number of rows
        return pa.table({"": pa.nulls(len(positions))}).select([])
    return _restored(plain(table).take(positions), table.schema)


def plain(table: pa.Table) -> pa.Table:
    """Return the rows without run ends, and with views as large strings and large binaries.

    Example:
        >>> plain(pa.table({"word": pa.array(["a"], pa.string_view())})).schema.types
        [DataType(large_string)]
    """
    for index, field in enumerate(table.schema):
        if pa.types.is_run_end_encoded(field.type):
            values = decoded(table.column(index))
            table = table.set_column(index, field.with_type(values.type), values)
    return cast_rows(table, pa.schema([_plain_field(field) for field in table.schema]))


def cast_rows(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return the rows with the types of a schema.

    A column that has its type already is not cast: pyarrow 26 breaks lists of nulls by that.

    Args:
        table: The rows.
        schema: The same columns in the same order, with types that hold the values.

    Example:
        >>> texts = pa.table({"word": pa.array(["a"], pa.string_view())})
        >>> cast_rows(texts, pa.schema({"word": pa.string()})).schema.types
        [DataType(string)]
    """
    for index, field in enumerate(schema):
        column = table.column(index)
        if column.type != field.type:
            table = table.set_column(index, field, column.cast(field.type))
    return table


def _restored(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return rows of `plain` with their first types."""
    for index, field in enumerate(schema):
        if pa.types.is_run_end_encoded(field.type):
            values = table.column(index).cast(field.type.value_type)
            runs = [pc.run_end_encode(each, field.type.run_end_type) for each in values.chunks]
            table = table.set_column(index, field, pa.chunked_array(runs, field.type))
    return cast_rows(table, schema)


def _plain_field(field: pa.Field) -> pa.Field:
    return field.with_type(_plain_type(field.type))


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_map(kind):
        return pa.map_(_plain_field(kind.key_field), _plain_field(kind.item_field))
    if pa.types.is_struct(kind):
        return pa.struct([_plain_field(field) for field in kind.fields])
    if pa.types.is_list(kind):
        return pa.list_(_plain_field(kind.value_field))
    if pa.types.is_large_list(kind):
        return pa.large_list(_plain_field(kind.value_field))
    return _PLAIN.get(kind, kind)
