"""The stored rows of a use of a view as they go through an exchange: no row that cannot matter."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

from featurestore.engines.spark.retrieve.exchange.buckets import HotKey, Span, is_carried, reach_of
from featurestore.engines.spark.retrieve.exchange.hot_keys import with_all_keys
from featurestore.engines.spark.retrieve.exchange.key_sets import KeySet, ordered_keys
from featurestore.engines.spark.retrieve.exchange.layout import (
    BUCKET,
    TIME,
    key_name,
    stored_names,
    value_name,
)
from featurestore.engines.spark.types import spark_type
from featurestore.query.nodes import ViewQuery
from featurestore.query.requirements import time_bounds
from featurestore.quoting import spark_name
from featurestore.store.columns import AVAILABLE_TIME, EVENT_TIME, ROW_HASH, SEQUENCE
from featurestore.times import to_micros

_FIRST = to_micros(datetime.min.replace(tzinfo=UTC))
_LAST = to_micros(datetime.max.replace(tzinfo=UTC))
_SINCE, _FIRSTS, _LASTS, _SLOT, _WINNER = "since", "firsts", "lasts", "slot", "winner"


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


def stored_side(side: StoredSide, features: DataFrame) -> DataFrame:
    """Return the stored rows that may matter: keys, time, and the columns that the kernel takes.

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
        _since(side.use).alias(_SINCE),
        *values,
    )
    return with_all_keys(rows, len(keys))


def in_buckets(side: StoredSide, rows: DataFrame, hot: Sequence[HotKey]) -> DataFrame:
    """Return stored rows with their buckets, once for each bucket that needs them.

    Args:
        side: The use of the view.
        rows: Its rows, by `stored_side`.
        hot: The hot keys.
    """
    names = [key_name(number) for number in range(len(side.key_set.columns))]
    kept = [*names, TIME, *_values(side.use)]
    if not hot:
        return rows.select(*kept, F.lit(0).cast("long").alias(BUCKET))
    spans = F.broadcast(_spans(rows, side, hot))
    joined = rows.join(spans, names, "left") if names else rows.crossJoin(spans)
    needed = F.filter(_buckets(), lambda bucket: _needs(side.use, bucket))
    buckets = F.when(F.col(_FIRSTS).isNull(), F.array(F.lit(0).cast("long"))).otherwise(needed)
    direct = joined.select(*kept, F.explode(buckets).alias(BUCKET))
    if not is_carried(side.use):
        return direct
    hot_rows = rows.join(spans, names) if names else rows.crossJoin(spans)
    return direct.unionByName(_carried(side, hot_rows, names))


def _values(use: ViewQuery) -> list[str]:
    return [value_name(number) for number in range(len(stored_names(use)))]


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
    supersedes an earlier row at that moment.
    """
    event = F.unix_micros(EVENT_TIME)
    visible = event + F.lit(use.rows.available_delay)
    if use.rows.has_available:
        available = F.unix_micros(AVAILABLE_TIME)
        visible = F.when(F.col(AVAILABLE_TIME).isNull(), visible).otherwise(
            F.greatest(event, available)
        )
    is_later = use.strict and not use.rows.unique_by
    return F.greatest(visible, event + F.lit(1)) if is_later else visible


def _spans(rows: DataFrame, side: StoredSide, hot: Sequence[HotKey]) -> DataFrame:
    """Return the hot keys with the first and the last moments of their buckets."""
    names = [key_name(number) for number in range(len(side.key_set.columns))]
    times = T.ArrayType(T.LongType())
    schema = T.StructType(
        [
            *(
                T.StructField(name, spark_type(dtype))
                for name, dtype in zip(names, side.key_set.types, strict=True)
            ),
            T.StructField(_FIRSTS, times),
            T.StructField(_LASTS, times),
        ]
    )
    data = []
    for key in hot:
        spans = key.spans[side.use.timestamp_field]
        firsts = [None if span is None else span.first for span in spans]
        lasts = [None if span is None else span.last for span in spans]
        data.append((*key.key, firsts, lasts))
    return rows.sparkSession.createDataFrame(data, schema)


def _buckets() -> Column:
    """Return the numbers of a hot key's buckets; they count from 1, as elements of arrays do."""
    return F.sequence(F.lit(1).cast("long"), F.size(_FIRSTS).cast("long"))


def _needs(use: ViewQuery, bucket: Column) -> Column:
    """Return whether a bucket needs a row, and not only as the winner of the rows before it."""
    first, last = (
        F.element_at(_FIRSTS, bucket.cast("int")),
        F.element_at(_LASTS, bucket.cast("int")),
    )
    since, reach = F.col(_SINCE), reach_of(use)
    visible = since <= last
    if is_carried(use):
        return visible & (since > first)
    return visible if reach is None else visible & (F.col(TIME) + F.lit(reach) >= first)


def _carried(side: StoredSide, rows: DataFrame, names: list[str]) -> DataFrame:
    """Return, for each bucket of a hot key, the winner of the rows visible at its first moment.

    Rows that become visible between the same two first moments are candidates of the same
    buckets, so only their winner is kept.
    """
    values, stored = _values(side.use), stored_names(side.use)
    breakers = [name for name in (AVAILABLE_TIME, SEQUENCE, ROW_HASH) if name in stored]
    rank = F.struct(TIME, *(value_name(stored.index(name)) for name in breakers))
    slot = F.size(F.filter(_FIRSTS, lambda first: first < F.col(_SINCE)))
    row = F.struct(TIME, _SINCE, _FIRSTS, *values)
    winners = (
        rows.withColumn(_SLOT, slot)
        .groupBy(*names, _SLOT)
        .agg(F.max_by(row, rank).alias(_WINNER))
        .select(*names, f"{_WINNER}.*")
    )
    buckets = F.filter(
        _buckets(), lambda bucket: F.element_at(_FIRSTS, bucket.cast("int")) >= F.col(_SINCE)
    )
    kept = [*names, TIME, *values]
    return winners.select(*kept, F.explode(buckets).alias(BUCKET))
