"""The stored rows of a use of a view as they go through an exchange: no row that cannot matter."""

from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql.pandas.types import to_arrow_schema

from featurestore.engines.retrieval.scatter import fixed_width
from featurestore.engines.retrieval.widths import LEAST_WIDTH
from featurestore.engines.spark.retrieve.exchange.buckets import Span, is_carried
from featurestore.engines.spark.retrieve.exchange.hot_keys import with_all_keys
from featurestore.engines.spark.retrieve.exchange.key_sets import KeySet, ordered_keys
from featurestore.engines.spark.retrieve.exchange.layout import (
    SINCE,
    TIME,
    key_name,
    stored_names,
    value_name,
)
from featurestore.engines.spark.types import spark_type
from featurestore.query.nodes import ViewQuery
from featurestore.query.requirements import time_bounds
from featurestore.quoting import spark_name
from featurestore.store.columns import AVAILABLE_TIME, EVENT_TIME
from featurestore.times import to_micros

_FIRST = to_micros(datetime.min.replace(tzinfo=UTC))
_LAST = to_micros(datetime.max.replace(tzinfo=UTC))


@dataclass(frozen=True)
class StoredSide:
    """A use of a view in an exchange.

    Args:
        key_set: The key set.
        use: The use.
        span: The first and last moment of the spine's rows; None if no row can be answered.
    """

    key_set: KeySet
    use: ViewQuery
    _: KW_ONLY
    span: Span | None


@dataclass(frozen=True)
class StoredSize:
    """The stored rows of a use of a view.

    Args:
        rows: How many they are.
        row_bytes: The bytes of one, the mean for types without a fixed width.
    """

    rows: int
    row_bytes: int


def stored_side(side: StoredSide, features: DataFrame) -> DataFrame:
    """Return the stored rows that may matter: keys, times, and the columns that the kernel takes.

    Args:
        side: The use of the view.
        features: The view's stored rows.
    """
    keys = [
        F.col(spark_name(key.key)).cast(spark_type(dtype)).alias(key_name(number))
        for number, (key, dtype) in enumerate(
            zip(ordered_keys(side.use), side.key_set.types, strict=True)
        )
    ]
    values = [
        F.col(spark_name(name)).alias(value_name(number))
        for number, name in enumerate(stored_names(side.use))
    ]
    rows = _within(features, side).select(
        *keys,
        F.unix_micros(EVENT_TIME).alias(TIME),
        _since(side.use).alias(SINCE),
        *values,
    )
    return with_all_keys(rows, len(keys))


def measured_size(rows: DataFrame) -> StoredSize:
    """Return the size of stored rows of which no table knows. Spark computes them once more.

    Args:
        rows: The rows, by `stored_side`.
    """
    types = to_arrow_schema(rows.schema, timezone="UTC")
    fixed = sum(fixed_width(each.type) for each in types)
    others = [each for each in types if not fixed_width(each.type)]
    totals = [F.sum(_value_bytes(each)).alias(f"total{n}") for n, each in enumerate(others)]
    found = rows.agg(F.count(F.lit(1)).alias("rows"), *totals).head()
    number, *sums = [0] if found is None else [int(each or 0) for each in found]
    means = [max(LEAST_WIDTH, -(-each // max(number, 1))) for each in sums]
    return StoredSize(number, fixed + sum(means))


def _value_bytes(field: pa.Field) -> Column:
    column = F.col(field.name)
    if pa.types.is_list(field.type):
        return F.size(column) * F.lit(fixed_width(field.type.value_type) or LEAST_WIDTH)
    is_text = pa.types.is_string(field.type) or pa.types.is_binary(field.type)
    return F.octet_length(column) if is_text else F.lit(LEAST_WIDTH)


def _within(features: DataFrame, side: StoredSide) -> DataFrame:
    """Return the rows with event times that may change an answer."""
    event = F.col(EVENT_TIME)
    if side.span is None:
        return features.where(F.lit(False))
    low, high = time_bounds(side.use, side.span.first, side.span.last)
    rows = features.where(event.isNotNull())
    if low is not None and low > _FIRST:
        rows = rows.where(event >= F.timestamp_micros(F.lit(low)))
    if high is not None and high < _LAST:
        rows = rows.where(event <= F.timestamp_micros(F.lit(max(high, _FIRST))))
    return rows


def _since(use: ViewQuery) -> Column:
    """Return the first moment at which a row may change an answer, in UTC microseconds.

    A strict use has no event of the moment itself. Such an event may yet be a revision, which
    supersedes an earlier row at that moment, or be in a window that is closed at its right end.
    """
    event = F.unix_micros(EVENT_TIME)
    visible = event + F.lit(use.rows.available_delay)
    if use.rows.has_available:
        available = F.unix_micros(AVAILABLE_TIME)
        visible = F.when(F.col(AVAILABLE_TIME).isNull(), visible).otherwise(
            F.greatest(event, available)
        )
    is_later = use.strict and is_carried(use)
    return F.greatest(visible, event + F.lit(1)) if is_later else visible
