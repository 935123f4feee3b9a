"""Reading a spine from any frame or file as an Arrow table."""

from collections.abc import Sequence
from datetime import datetime
from functools import singledispatch
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.json as pajson
import pyarrow.parquet as pq

from featurestore.client.frame.pandas_origin import (
    is_pandas_frame,
    origin_of_frame,
    split_origin,
)
from featurestore.client.spines.spine import Spine
from featurestore.errors import SpineError
from featurestore.store.delta.log import is_table
from featurestore.store.delta.snapshot import open_table


def read_spine(data: Any) -> pa.Table:
    """Return the rows of a spine as an Arrow table: see `read_rows`.

    Example:
        >>> read_spine([{"card_id": "c1"}, {"card_id": "c2"}]).num_rows
        2
    """
    return read_rows(data).table


def read_rows(data: Any) -> Spine:
    """Return the rows of a spine, with the index of pandas if there is one.

    Args:
        data: An Arrow table; a pandas, Polars or Spark DataFrame; any object with the Arrow C
            stream interface; a list of dicts; or a path of a Parquet, CSV or JSON-lines file or
            of a Delta table's folder.

    Returns:
        The same rows in the same order, with the same columns.

    Raises:
        SpineError: ``data`` is none of these, the path does not exist, or a column mixes types,
            or times with and without a zone.

    Example:
        >>> read_rows([{"card_id": "c1"}]).pandas is None
        True
    """
    if is_pandas_frame(data):
        return Spine(_read_pandas(data), origin_of_frame(data))
    return Spine(*split_origin(_read(data)))


@singledispatch
def _read(data: Any) -> pa.Table:
    if hasattr(data, "toArrow"):
        table: pa.Table = data.toArrow()
        return table
    if hasattr(data, "__arrow_c_stream__"):
        return pa.table(data)
    raise SpineError(
        "read the spine",
        f"it is a {type(data).__module__}.{type(data).__qualname__}",
        "Pass an Arrow table, a pandas, Polars or Spark DataFrame, a list of dicts or a path.",
    )


@_read.register
def _(data: pa.Table) -> pa.Table:
    return data


@_read.register
def _(data: pa.RecordBatch) -> pa.Table:
    return pa.Table.from_batches([data])


@_read.register
def _(data: list) -> pa.Table:  # type: ignore[type-arg]  # singledispatch takes the bare class
    rows: Sequence[dict[str, Any]] = data
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [row.get(name) for row in rows] for name in names}
    for name, values in columns.items():
        _check_not_mixed(name, values)
    return _table(columns)


@_read.register
def _(data: str) -> pa.Table:
    return _read(Path(data)) if "://" not in data else _read_delta(data)


@_read.register
def _(data: Path) -> pa.Table:
    readers = {
        ".parquet": pq.read_table,
        ".csv": pacsv.read_csv,
        ".json": pajson.read_json,
        ".jsonl": pajson.read_json,
    }
    if data.is_dir():
        if not is_table(str(data)):
            raise SpineError(
                f"read the spine {data}",
                "the folder is no Delta table",
                "Pass the path of a file, or of a Delta table's folder.",
            )
        return _read_delta(str(data))
    if not data.exists():
        raise SpineError(f"read the spine {data}", "there is no such file", "Check the path.")
    if data.suffix not in readers:
        raise SpineError(
            f"read the spine {data}",
            f"files {_kind(data)} cannot be read",
            f"Use {', '.join(readers)}, or the folder of a Delta table.",
        )
    table: pa.Table = readers[data.suffix](str(data))
    return table


def _kind(path: Path) -> str:
    return f"that end in {path.suffix!r}" if path.suffix else "without a suffix"


def _read_delta(uri: str) -> pa.Table:
    return pa.table(open_table(uri).scan().read_all())


def _read_pandas(data: Any) -> pa.Table:
    for name in data.columns:
        if data[name].dtype == object:
            _check_not_mixed(str(name), data[name])
    return pa.Table.from_pandas(data, preserve_index=False).replace_schema_metadata()


def _check_not_mixed(name: str, values: Any) -> None:
    zoned = {value.tzinfo is not None for value in values if isinstance(value, datetime)}
    if len(zoned) > 1:
        raise SpineError(
            "read the spine",
            f"column {name!r} mixes times with and without a time zone",
            "Write all times with a zone, or all without one and pass timezone=.",
        )


def _table(columns: dict[str, list[Any]]) -> pa.Table:
    arrays = {}
    for name, values in columns.items():
        try:
            arrays[name] = pa.array(values)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise SpineError(
                "read the spine", f"column {name!r} mixes types: {error}", "Use one type in it."
            ) from None
    return pa.table(arrays)
