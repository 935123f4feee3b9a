"""The rows of a feature table, made from transformed rows: cast, in UTC, with a row hash."""

from datetime import datetime
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.source import KafkaSource
from featurestore.definitions.model.types import Field
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.source.messages import MESSAGE
from featurestore.engines.spark.source.timestamps import is_outside
from featurestore.engines.spark.transform.system_columns import system_columns, unique_column
from featurestore.engines.spark.types import plain_texts, spark_type
from featurestore.quoting import spark_name
from featurestore.store.columns import (
    AVAILABLE_TIME,
    DELETED,
    EVENT_TIME,
    ROW_HASH,
    SEQUENCE,
    extra_columns,
    sort_names,
    stored_columns,
)
from featurestore.store.quarantine import (
    NULL_KEY,
    NULL_TIME,
    TIME_OUT_OF_RANGE,
    UNREADABLE_MESSAGE,
)

_TIMES = (EVENT_TIME, AVAILABLE_TIME)
NULL_HASH = "_null_hash"
"""The column of `null_hash` in comparisons. No table stores it."""


def stored_rows(view: FeatureView, rows: DataFrame, start: datetime | None = None) -> DataFrame:
    """Return the view's stored columns, in order, from transformed rows.

    Rows with a null in a key or in the event time are still included; see `unmatched`.

    Args:
        view: The view.
        rows: Rows that `run.transformed` has checked.
        start: Rows of older events are left out.
    """
    stored = rows.select(*_columns(view, rows.schema))
    if start is not None:
        event = F.col(EVENT_TIME)
        stored = stored.where(event.isNull() | (event >= F.lit(start)))
    hashed = [spark_name(name) for name in stored_columns(view) if name != ROW_HASH]
    hashed_rows = stored.withColumn(ROW_HASH, F.xxhash64(*hashed))
    return plain_texts(hashed_rows.select(*(spark_name(name) for name in stored_columns(view))))


def null_hash(view: FeatureView, schema: T.StructType, prefix: str = "") -> Column:
    """Return a hash of where a stored row has nulls. Compare rows by it and by the row hash.

    Spark's hash passes over nulls and the ends of lists, so a value that moved to another column
    leaves the row hash as it was. The available time is left out: that of a released row changes.

    Args:
        view: The view.
        schema: The schema of the stored columns.
        prefix: What comes before their names, for a struct: ``"row."``.
    """
    names = [name for name in stored_columns(view) if name not in (AVAILABLE_TIME, ROW_HASH)]
    columns = ((F.col(f"{prefix}{spark_name(name)}"), schema[name].dataType) for name in names)
    return F.xxhash64(*(_nulls(column, dtype) for column, dtype in columns))


def _nulls(column: Column, dtype: T.DataType) -> Column:
    if isinstance(dtype, T.ArrayType):
        items = F.transform(column, lambda item: _nulls(item, dtype.elementType))
        return F.struct(F.coalesce(F.array_size(column), F.lit(-1)), items)
    if isinstance(dtype, T.StructType):
        parts = (_nulls(column[each.name], each.dataType) for each in dtype)
        return F.struct(column.isNull(), *parts)
    return column.isNull()


def unmatched(view: FeatureView) -> Column:
    """Return whether no spine row matches a row: a null key, or no time of the years 1 to 9999."""
    return _null_key(view) | F.col(EVENT_TIME).isNull() | _outside_time()


def unmatched_reasons(view: FeatureView) -> Column:
    """Return why no spine row matches a row, as an array of names; null for a row that may."""
    problems = {
        NULL_KEY: _null_key(view),
        NULL_TIME: F.col(EVENT_TIME).isNull(),
        TIME_OUT_OF_RANGE: _outside_time(),
    }
    # PERF: `array_compact` is not compiled, and slows the whole projection down fourfold.
    names = (
        F.when(holds, F.array(F.lit(name))).otherwise(F.array().cast("array<string>"))
        for name, holds in problems.items()
    )
    reasons = F.concat(*names)
    if isinstance(view.source, KafkaSource):
        unreadable = F.col(MESSAGE).isNotNull()
        reasons = F.when(unreadable, F.array(F.lit(UNREADABLE_MESSAGE))).otherwise(reasons)
    return F.when(unmatched(view), reasons)


def null_unique(view: FeatureView) -> Column:
    """Return whether a row has a null in ``unique_by``, so that it does not identify its event."""
    null = F.lit(False)
    for name in view.unique_columns:
        null = null | F.col(spark_name(name)).isNull()
    return null


def sort_columns(view: FeatureView) -> list[str]:
    """Return the columns that feature files are sorted by: the keys, then the event time."""
    return [spark_name(name) for name in sort_names(view)]


def _columns(view: FeatureView, schema: T.StructType) -> list[Column]:
    system = system_columns(view, schema)
    optional = ((SEQUENCE, system.sequence), (DELETED, system.deleted))
    return [
        *(_cast(key) for key in view.join_keys),
        system.event.alias(EVENT_TIME),
        system.available.alias(AVAILABLE_TIME),
        *(column.alias(name) for name, column in optional if column is not None),
        *(unique_column(view, name) for name in extra_columns(view)),
        *(_cast(field) for field in view.schema),
    ]


def _null_key(view: FeatureView) -> Column:
    null = F.lit(False)
    for key in view.join_keys:
        null = null | F.col(spark_name(key.name)).isNull()
    return null


def _outside_time() -> Column:
    times = (F.coalesce(is_outside(F.col(name)), F.lit(False)) for name in _TIMES)
    return reduce(Column.__or__, times)


def _cast(field: Field) -> Column:
    return F.col(spark_name(field.name)).cast(spark_type(field.dtype)).alias(field.name)
