"""The input rows of a derived view: its upstream view's stored rows, with row metadata."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.rules.stored_views.derived import (
    has_retractions,
    retracts_whole_rows,
)
from featurestore.engines.spark.transform.row_metadata import with_row_metadata
from featurestore.quoting import spark_name
from featurestore.store.columns import AVAILABLE_TIME, DELETED, EVENT_TIME, ROW_HASH, SEQUENCE

_HIDDEN = (SEQUENCE, DELETED, ROW_HASH)


def upstream_rows(upstream: FeatureView, rows: DataFrame) -> DataFrame:
    """Return a view's stored rows as the input of a derived view's transform.

    Args:
        upstream: The upstream view.
        rows: Its stored rows. Rows that a test or a notebook passes may lack the store's own
            columns.
    """
    if AVAILABLE_TIME not in rows.columns:
        rows = rows.withColumn(AVAILABLE_TIME, F.col(EVENT_TIME))
    parts = {
        "event": F.col(EVENT_TIME),
        "available": F.col(AVAILABLE_TIME),
        "seq": _stored(rows, SEQUENCE, "bigint"),
        "deleted": _stored(rows, DELETED, "boolean"),
    }
    names = upstream_names(upstream)
    if names:
        parts["unique"] = F.struct(*(F.col(spark_name(name)) for name in names))
    metadata = F.struct(*(column.alias(name) for name, column in parts.items()))
    return with_row_metadata(rows, metadata).drop(*_HIDDEN)


def upstream_names(upstream: FeatureView) -> tuple[str, ...]:
    """Return the columns that identify an event: keys and ``unique_by``; none without it."""
    if not upstream.unique_columns:
        return ()
    keys = (key.name for key in upstream.join_keys)
    return tuple(dict.fromkeys((*keys, *upstream.unique_columns)))


def banned_operators(upstream: FeatureView) -> frozenset[str]:
    """Return the operators of Spark's plans that a derived view's transform must not have.

    A filter is banned where it could drop a revision but keep the row that it revises. After a
    change feed it is allowed: the feed repeats the revised row, and both meet the same filter.
    """
    safe = retracts_whole_rows(upstream) or not has_retractions(upstream)
    return frozenset() if safe else frozenset({"Filter"})


def _stored(rows: DataFrame, name: str, kind: str) -> Column:
    return (F.col(name) if name in rows.columns else F.lit(None)).cast(kind)
