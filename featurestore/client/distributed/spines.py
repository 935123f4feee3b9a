"""The spine of a retrieval by Spark, as a Spark DataFrame, whatever form it was passed in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from featurestore.client.distributed.spine_address import Kind, is_spark_frame, spine_address
from featurestore.client.frame.library_types import spark_table
from featurestore.client.frame.pandas_origin import PandasOrigin
from featurestore.client.spines.read import read_rows
from featurestore.definitions.model.types import DataType
from featurestore.engines.spark.retrieve.spine import (
    arrow_schema,
    frame_of_file,
    frame_of_folder,
    frame_of_table,
)
from featurestore.engines.spark.retrieve.task import POSITION
from featurestore.engines.spark.session.session import accept
from featurestore.errors import RequestError, SpineError
from featurestore.store.delta.log import latest_version

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class RowsOfSpine:
    """The rows of a spine for Spark.

    Args:
        frame: The rows; with the column `POSITION` if they have an order.
        schema: The Arrow types in which tasks get them, without `POSITION`.
        local: The rows as they were passed; None if only Spark has read them.
        pandas: The index and the data types of a spine from pandas.
    """

    frame: "DataFrame"
    schema: pa.Schema
    local: pa.Table | None = None
    pandas: PandasOrigin | None = None


def rows_of_spine(
    session: "Callable[[], SparkSession]", spine: Any, types: Mapping[str, DataType], call: str
) -> RowsOfSpine:
    """Return the rows of a spine for Spark.

    A Spark DataFrame stays as it is. Spark reads Delta tables and Parquet files by itself. Other
    rows are read here, as the local engine reads them, and sent to Spark.

    Args:
        session: Returns the Spark session.
        spine: A Spark DataFrame, or whatever the local engine takes.
        types: The declared types of the columns that the call uses.
        call: The user's call, for messages.

    Raises:
        SpineError: It is no spine, or Spark cannot hold a column.
    """
    if is_spark_frame(spine):
        accept(spine.sparkSession)
        return RowsOfSpine(spine, arrow_schema(spine, call))
    address = spine_address(spine)
    if address is not None and address.kind is Kind.PARQUET:
        frame = frame_of_file(session(), address.uri)
        return RowsOfSpine(frame, _without_position(arrow_schema(frame, call)))
    if address is not None and address.is_read_by_spark:
        version = latest_version(address.uri) if address.kind is Kind.DELTA else None
        frame = frame_of_folder(session(), address.uri, version)
        return RowsOfSpine(frame, arrow_schema(frame, call))
    rows = read_rows(spine, types)
    try:
        table = spark_table(rows.table)
    except RequestError as error:
        fix = "Convert the column before it becomes part of the spine, or use engine='local'."
        raise SpineError(call, error.found, fix) from None
    frame = frame_of_table(session(), table)
    schema = _without_position(arrow_schema(frame, call))
    return RowsOfSpine(frame, schema, local=rows.table, pandas=rows.pandas)


def _without_position(schema: pa.Schema) -> pa.Schema:
    return schema.remove(schema.get_field_index(POSITION))
