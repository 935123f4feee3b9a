"""Reading a spine: any frame, file or list of rows as an Arrow table, by one path."""

import os
import sys
from collections.abc import Mapping
from functools import singledispatch
from typing import Any

import pyarrow as pa

from featurestore.client.frame.pandas_origin import (
    is_pandas_frame,
    origin_of_frame,
    split_origin,
)
from featurestore.client.spines.file import table_of_path
from featurestore.client.spines.frames import table_of_pandas, table_of_polars
from featurestore.client.spines.python_values import CALL
from featurestore.client.spines.rows import table_of_rows
from featurestore.client.spines.spine import Spine
from featurestore.client.spines.text_values import form_of, typed
from featurestore.definitions.model.types import DataType
from featurestore.engines.spine_times import RowName, row_name
from featurestore.errors import SpineError

_KINDS = "Pass an Arrow table, a pandas, Polars or Spark DataFrame, a list of dicts or a path."


def read_spine(data: Any, declared: Mapping[str, DataType] | None = None) -> pa.Table:
    """Return the rows of a spine as an Arrow table: see `read_rows`.

    Example:
        >>> read_spine([{"card_id": "c1"}, {"card_id": "c2"}]).num_rows
        2
    """
    return read_rows(data, declared).table


def read_rows(data: Any, declared: Mapping[str, DataType] | None = None) -> Spine:
    """Return the rows of a spine, with the index of pandas if there is one.

    Args:
        data: An Arrow table; a pandas, Polars or Spark DataFrame; any object with the Arrow C
            stream interface; a list of dicts; a path of a Parquet, CSV, JSON-lines, Arrow or
            Feather file or of a Delta table's folder; or a `Spine`.
        declared: The types of the columns that views declare. They say what the texts of a file
            mean. None if they are not known yet: then a later call types the columns.

    Returns:
        The same rows in the same order, with the same columns.

    Raises:
        SpineError: ``data`` is none of these, the path does not exist, two columns have one name,
            a column mixes types, or times with and without a zone, a text of a file is no value of
            its declared type, or a declared column is in the index of pandas.

    Example:
        >>> read_rows([{"card_id": "c1"}]).pandas is None
        True
    """
    spine, row, call = _read(data)
    names = spine.table.column_names
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise SpineError(
            call, f"the spine has two columns named {twice[0]!r}", "Rename one of them."
        )
    if declared is None:
        return spine
    _require_no_level(spine, declared, call)
    return spine.with_table(_typed(spine.table, declared, row, call))


def _read(data: Any) -> tuple[Spine, RowName, str]:
    """Return the rows, a function that names a row for errors, and the call for errors."""
    if isinstance(data, Spine):
        return data, row_name, CALL
    if isinstance(data, str | os.PathLike):
        path = os.fsdecode(data)
        table, row = table_of_path(path)
        return Spine(*split_origin(table)), row, f"read the spine {path}"
    if is_pandas_frame(data):
        return Spine(table_of_pandas(data), origin_of_frame(data)), row_name, CALL
    return Spine(*split_origin(_table(data))), row_name, CALL


def _require_no_level(spine: Spine, declared: Mapping[str, DataType], call: str) -> None:
    """Check that no column that a view needs is a level of pandas' index."""
    for level in () if spine.pandas is None else spine.pandas.level_names:
        if level in declared and level not in spine.table.column_names:
            raise SpineError(
                call,
                f"the spine has no column {level!r}: it is a level of the frame's index",
                f"Pass spine.reset_index({level!r}).",
            )


def _typed(table: pa.Table, declared: Mapping[str, DataType], row: RowName, call: str) -> pa.Table:
    """Return the rows with the columns of a file in their declared types."""
    forms = [form_of(field) for field in table.schema]
    for position, (name, form) in enumerate(zip(table.column_names, forms, strict=True)):
        if form is not None:
            column = typed(name, table[name], form, declared.get(name), row, call)
            table = table.set_column(position, name, column)
    return table


@singledispatch
def _table(data: Any) -> pa.Table:
    # A Polars frame can only be there if Polars was imported.
    polars = sys.modules.get("polars")
    if polars is not None and isinstance(data, polars.DataFrame):
        return table_of_polars(data)
    try:
        if hasattr(data, "toArrow"):
            return data.toArrow()
        if hasattr(data, "__arrow_c_stream__"):
            return pa.table(data)
    except Exception as error:
        problem = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise _no_spine(data, f", and its rows cannot be read: {problem}") from error
    raise _no_spine(data)


@_table.register
def _(data: pa.Table) -> pa.Table:
    return data


@_table.register
def _(data: pa.RecordBatch) -> pa.Table:
    return pa.Table.from_batches([data])


@_table.register(list)
@_table.register(tuple)
def _(data: Any) -> pa.Table:
    return table_of_rows(data)


def _no_spine(data: Any, problem: str = "") -> SpineError:
    cls = type(data)
    return SpineError(CALL, f"it is a {cls.__module__}.{cls.__qualname__}{problem}", _advice(data))


def _advice(data: Any) -> str:
    if isinstance(data, Mapping):
        return f"For one row, pass a list of it: [{{...}}]. {_KINDS}"
    if hasattr(data, "toArrow"):
        return "If the type of a column is the reason, cast the column, or leave it out."
    for method, fix in (
        ("collect", "Call .collect() first, which computes the frame."),
        ("compute", "Call .compute() first, which computes the frame."),
        ("to_frame", "Call .to_frame() first, which makes a frame of the one column."),
        ("to_pandas", "Call .to_pandas() first, which makes a pandas DataFrame."),
        ("__next__", "Pass list(...) of it, which reads all rows."),
    ):
        if hasattr(data, method):
            return f"{fix} {_KINDS}"
    return _KINDS
