"""Source rows as a feature table stores them: typed, in UTC, hashed."""

from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

from featurestore.definitions.source import StoredSource
from featurestore.definitions.types import Field
from featurestore.definitions.view import FeatureView
from featurestore.engines.spark.moments import TimeColumn, moment, quoted
from featurestore.engines.spark.sources import stored_source
from featurestore.engines.spark.types import spark_type
from featurestore.store.columns import (
    AVAILABLE_TIME,
    DELETED,
    EVENT_TIME,
    ROW_HASH,
    SEQUENCE,
    extra_columns,
    stored_columns,
)
from featurestore.times import parse_duration


def stored_rows(view: FeatureView, rows: DataFrame, start: datetime | None = None) -> DataFrame:
    """Return the transformed rows with the view's stored columns, in order.

    Rows with a null key part or a null event time are still among them: `unmatched` tells them.

    Args:
        view: The view.
        rows: Rows that `transform.transformed` has checked.
        start: Rows of older events are left out.
    """
    stored = rows.select(*_columns(view, rows.schema))
    if start is not None:
        event = F.col(EVENT_TIME)
        stored = stored.where(event.isNull() | (event >= F.lit(start)))
    hashed = [quoted(name) for name in stored_columns(view) if name != ROW_HASH]
    return stored.withColumn(ROW_HASH, F.xxhash64(*hashed)).select(
        *(quoted(name) for name in stored_columns(view))
    )


def unmatched(view: FeatureView) -> Column:
    """Return which stored rows can never be matched: a key part or the event time is null."""
    null = F.col(EVENT_TIME).isNull()
    for key in view.join_keys:
        null = null | F.col(quoted(key.name)).isNull()
    return null


def sort_columns(view: FeatureView) -> list[str]:
    """Return the columns by which feature files are sorted: the keys, then the event time."""
    return [quoted(key.name) for key in view.join_keys] + [EVENT_TIME]


def stored_schema(view: FeatureView, extra: T.StructType) -> T.StructType:
    """Return the Spark schema of the view's feature table.

    Args:
        view: The view.
        extra: The transformed rows' schema, for ``unique_by`` columns, whose type it decides.
    """
    types: dict[str, T.DataType] = {
        EVENT_TIME: T.TimestampType(),
        AVAILABLE_TIME: T.TimestampType(),
        SEQUENCE: T.LongType(),
        DELETED: T.BooleanType(),
        ROW_HASH: T.LongType(),
        **{name: extra[name].dataType for name in extra_columns(view)},
        **{field.name: spark_type(field.dtype) for field in (*view.join_keys, *view.schema)},
    }
    return T.StructType([T.StructField(name, types[name]) for name in stored_columns(view)])


def _columns(view: FeatureView, schema: T.StructType) -> list[Column]:
    source = stored_source(view)
    event = moment(_time(source, source.timestamp_field, schema))
    optional = (
        (SEQUENCE, source.sequence_field, "bigint"),
        (DELETED, source.deleted_field, "boolean"),
    )
    return [
        *(_cast(key) for key in view.join_keys),
        event.alias(EVENT_TIME),
        _available(view, event, schema).alias(AVAILABLE_TIME),
        *(F.col(quoted(field)).cast(kind).alias(name) for name, field, kind in optional if field),
        *(F.col(quoted(name)) for name in extra_columns(view)),
        *(_cast(field) for field in view.schema),
    ]


def _cast(field: Field) -> Column:
    return F.col(quoted(field.name)).cast(spark_type(field.dtype)).alias(field.name)


def _available(view: FeatureView, event: Column, schema: T.StructType) -> Column:
    """A null stays null: the kernel takes it as known from the event on, ranked lowest."""
    source = stored_source(view)
    name = source.available_timestamp_field
    known = event if name is None else moment(_time(source, name, schema))
    delay = parse_duration(view.available_delay)
    return F.timestamp_micros(F.unix_micros(known) + F.lit(delay)) if delay else known


def _time(source: StoredSource, name: str, schema: T.StructType) -> TimeColumn:
    return TimeColumn(name, schema[name].dataType, source)
