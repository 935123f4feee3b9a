"""A spine as a Spark DataFrame: its rows, their Arrow types, and what identifies its state."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention
from pyspark.sql.pandas.types import from_arrow_schema, to_arrow_type

from featurestore.engines.spark.errors.mapping import spark_errors
from featurestore.engines.spark.retrieve.task import POSITION
from featurestore.errors import SpineError
from featurestore.quoting import spark_name

FIX_OF_CHANGED_SPINE = (
    "Write the spine to a table first, and pass this table: "
    "spine.write.format('delta').save(address)."
)
"""What to do about a spine that has other rows when it is read again."""

_PARTS = ("low", "high", "xor")
# PERF: sums of numbers of 28 bits fit a long up to 34 billion rows. Sums of decimals took longer
# than the rest of an observation.
_BITS = 28
_MASK = 2**_BITS - 1


@dataclass(frozen=True)
class SpineState:
    """What identifies the rows of a spine when it is read: equal states have equal rows.

    Args:
        rows: The number of rows.
        digest: A hash of the columns that a call uses; the order of the rows does not count. None
            for rows of this process, which cannot change.
    """

    rows: int
    digest: str | None = None

    def is_same(self, later: "SpineState") -> bool:
        """Return whether a later reading has the same rows.

        Example:
            >>> SpineState(2, "7").is_same(SpineState(2, "8"))
            False
        """
        return self.rows == later.rows and self.digest in (None, later.digest)


def frame_of_table(spark: SparkSession, table: pa.Table) -> DataFrame:
    """Return rows as a DataFrame, with their positions as the column `POSITION`.

    Args:
        spark: The session.
        table: The rows, with types that Spark holds. Times without a zone stay without one.

    Raises:
        SpineError: Spark does not take the rows.
    """
    positions = pa.array(np.arange(table.num_rows, dtype=np.int64))
    rows = table.append_column(POSITION, positions)
    schema = from_arrow_schema(rows.schema, prefer_timestamp_ntz=True)
    with spark_errors("read the spine", SpineError):
        return spark.createDataFrame(rows, schema)


def frame_of_folder(spark: SparkSession, address: str, version: int | None) -> DataFrame:
    """Return the rows of a Delta table at a version, or of Parquet files, as Spark reads them.

    Args:
        spark: The session.
        address: A folder, a Parquet file or a URL.
        version: The version of a Delta table; None for Parquet files.

    Raises:
        SourceError: Spark cannot read them.
    """
    with spark_errors(f"read the spine {address}", SpineError):
        if version is None:
            return spark.read.parquet(address)
        return spark.read.format("delta").option("versionAsOf", version).load(address)


def frame_of_file(spark: SparkSession, path: str) -> DataFrame:
    """Return the rows of one Parquet file, with their positions in it as the column `POSITION`.

    Args:
        spark: The session.
        path: The file.

    Raises:
        SpineError: Spark cannot read it.
    """
    rows = frame_of_folder(spark, path, None)
    with spark_errors(f"read the spine {path}", SpineError):
        position = rows.metadataColumn("_metadata").getField("row_index")
        return rows.withColumn(POSITION, position)


def arrow_schema(spine: DataFrame, call: str) -> pa.Schema:
    """Return the Arrow types in which Spark hands the rows of a spine to a task.

    Args:
        spine: The spine.
        call: The user's call, for messages.

    Raises:
        SpineError: Arrow has no type for a column, or two names differ only in case.
    """
    with spark_errors(call, SpineError):
        fields = spine.schema.fields
    if spine.isStreaming:
        fix = "Call it for each batch, in a function of writeStream.foreachBatch."
        raise SpineError(call, "the spine is a stream, whose rows never end", fix)
    require_distinct_names([each.name for each in fields], call)
    return pa.schema([pa.field(each.name, _arrow_type(each, call)) for each in fields])


def require_distinct_names(names: Sequence[str], call: str) -> None:
    """Check that no two columns have names that differ only in case: Spark takes them for one.

    Args:
        names: The names of the spine's columns, and of the features.
        call: The user's call, for messages.

    Raises:
        SpineError: Two names are one for Spark.

    Example:
        >>> require_distinct_names(["id", "amount"], "call()")
    """
    first: dict[str, str] = {}
    for name in names:
        if name.lower() in first:
            both = f"{first[name.lower()]!r} and {name!r}"
            found = f"there are the columns {both}, which Spark takes for one"
            raise SpineError(call, found, "Rename the column of the spine.")
        first[name.lower()] = name


def _arrow_type(field: T.StructField, call: str) -> pa.DataType:
    if isinstance(field.dataType, T.VariantType):  # for Arrow a struct, which comes back as one
        raise _without_arrow_type(field, call)
    try:
        return to_arrow_type(field.dataType, timezone="UTC")
    except PySparkException:
        raise _without_arrow_type(field, call) from None


def _without_arrow_type(field: T.StructField, call: str) -> SpineError:
    return SpineError(
        call,
        f"column {field.name!r} has Spark's type {field.dataType.simpleString()}, which tasks in "
        "Python do not take",
        f"Cast the column, for example to a string, or leave it out: spine.drop({field.name!r}).",
    )


def state_of(spine: DataFrame, used: Sequence[str], call: str) -> SpineState:
    """Return the number of rows of a spine and their hash. Spark reads the used columns once.

    Args:
        spine: The spine.
        used: The columns that the call uses.
        call: The user's call, for messages.
    """
    with spark_errors(call, SpineError):
        row = spine.agg(*state_columns(spine, used)).head()
    return state_from({} if row is None else row.asDict())


def state_columns(rows: DataFrame, used: Sequence[str]) -> list[Column]:
    """Return aggregate expressions whose values `state_from` takes.

    Args:
        rows: Rows of the spine, with or without other columns.
        used: The columns that the call uses.
    """
    types = {each.name: each.dataType for each in rows.schema.fields}
    values = [_hashed(name, types[name]) for name in used]
    # A null does not change a hash: without these flags, (null, 1) and (1, null) would be equal.
    nulls = [F.col(spark_name(name)).isNull() for name in used]
    hashed = F.xxhash64(*values, *nulls)
    low, high = hashed.bitwiseAND(_MASK), F.shiftrightunsigned(hashed, _BITS).bitwiseAND(_MASK)
    parts = zip(_PARTS, (F.sum(low), F.sum(high), F.bit_xor(hashed)), strict=True)
    sums = (F.coalesce(part, F.lit(0)).alias(name) for name, part in parts)
    return [F.count(F.lit(1)).alias("rows"), *sums]


def state_from(values: Mapping[str, object]) -> SpineState:
    """Return the state that the values of `state_columns` say.

    Example:
        >>> state_from({"rows": 2, "low": 7, "high": 8, "xor": -1})
        SpineState(rows=2, digest='7:8:-1')
    """
    digest = ":".join(str(values.get(name) or 0) for name in _PARTS)
    return SpineState(int(str(values.get("rows") or 0)), digest)


def _hashed(name: str, dtype: T.DataType) -> Column:
    column = F.col(spark_name(name))
    # Spark does not hash maps.
    return F.to_json(F.struct(column)) if "map<" in dtype.simpleString() else column
