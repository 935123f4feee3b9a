"""Rows of a result in this process: in the spine's order, within the memory limit."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from featurestore.engines.retrieval.scatter import fixed_width
from featurestore.engines.retrieval.widths import LEAST_WIDTH
from featurestore.engines.spark.retrieve.result import Result
from featurestore.engines.spark.retrieve.task import POSITION
from featurestore.errors import RequestError
from featurestore.quoting import spark_name
from featurestore.sizes import format_bytes, format_megabytes

_COPIES = 2
"""How often a row is in memory while it is collected: as batches, and in its order."""


@dataclass(frozen=True)
class CollectedRows:
    """Rows in this process.

    Args:
        table: The rows, in the spine's order if it has one.
        positions: Their positions in the spine; empty if it has no order.
        left_out: The number of rows with labels that are not mature, which do not stay.
    """

    table: pa.Table
    positions: np.ndarray
    left_out: int


def collected(
    result: Result, schema: pa.Schema, *, own_columns: pa.Table | None, memory_limit: int | None
) -> CollectedRows:
    """Return the rows that stay, in this process.

    Args:
        result: The rows.
        schema: The Arrow schema of the rows.
        own_columns: The spine, if its rows are here: then its columns are left out.
        memory_limit: The most memory for the rows, in bytes; None for no limit.

    Raises:
        RequestError: The rows do not fit the limit.
        SpineError: The spine has other rows than when the call was planned.
    """
    own = () if own_columns is None else own_columns.column_names
    wanted = pa.schema([each for each in schema if each.name not in own])
    _require_fit(result, wanted, memory_limit)

    def collect(rows: DataFrame) -> pa.Table:
        names = [*wanted.names, *([POSITION] if POSITION in rows.columns else [])]
        return rows.select(*map(spark_name, names)).toArrow()

    table, counts = result.computed(collect)
    positions = np.empty(0, np.int64)
    if POSITION in table.column_names:
        table = table.take(pc.sort_indices(table[POSITION]))
        positions = table[POSITION].to_numpy()
    columns = [_typed(table[each.name], each.type) for each in wanted]
    return CollectedRows(pa.table(columns, schema=wanted), positions, counts.left_out)


def _typed(column: pa.ChunkedArray, dtype: pa.DataType) -> pa.ChunkedArray:
    # A column that has its type is not cast: pyarrow 26 breaks lists of nulls by that.
    return column if column.type == dtype else column.cast(dtype)


def _require_fit(result: Result, schema: pa.Schema, limit: int | None) -> None:
    """Refuse rows that do not fit, before Spark computes them. Texts count as 32 bytes."""
    row = sum(fixed_width(each.type) or LEAST_WIDTH for each in schema)
    size = _COPIES * row * result.state.rows
    if limit is not None and size > limit:
        raise RequestError(
            result.call,
            f"memory_limit is {format_bytes(limit)}. The {result.state.rows:,} rows need about "
            f"{format_megabytes(size)} in this process",
            "Keep them on the executors: frame.write(path), frame.save(name) or "
            f"frame.to_spark(). Or set memory_limit='{format_megabytes(size)}' or more.",
        )
