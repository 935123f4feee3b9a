"""Source rows as a feature table stores them: typed, in UTC, hashed."""

from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.types import Field
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.source.timestamps import quoted
from featurestore.engines.spark.transform.system_columns import marks, unique_column
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


def unnamed(view: FeatureView) -> Column:
    """Return which stored rows name no event of their own: a part of ``unique_by`` is null."""
    null = F.lit(False)
    for name in view.unique_columns:
        null = null | F.col(quoted(name)).isNull()
    return null


def sort_columns(view: FeatureView) -> list[str]:
    """Return the columns by which feature files are sorted: the keys, then the event time."""
    return [quoted(key.name) for key in view.join_keys] + [EVENT_TIME]


def _columns(view: FeatureView, schema: T.StructType) -> list[Column]:
    found = marks(view, schema)
    optional = ((SEQUENCE, found.sequence), (DELETED, found.deleted))
    return [
        *(_cast(key) for key in view.join_keys),
        found.event.alias(EVENT_TIME),
        found.available.alias(AVAILABLE_TIME),
        *(column.alias(name) for name, column in optional if column is not None),
        *(unique_column(view, name) for name in extra_columns(view)),
        *(_cast(field) for field in view.schema),
    ]


def _cast(field: Field) -> Column:
    return F.col(quoted(field.name)).cast(spark_type(field.dtype)).alias(field.name)
