"""Rows of a derived view: those that its upstream view stores, and what is known of them there."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.rules.derived import has_retractions, retracts_whole_rows
from featurestore.engines.spark.source.timestamps import quoted
from featurestore.engines.spark.transform.row_metadata import with_row_metadata
from featurestore.store.columns import AVAILABLE_TIME, DELETED, EVENT_TIME, ROW_HASH, SEQUENCE

_HIDDEN = (SEQUENCE, DELETED, ROW_HASH)


def upstream_rows(upstream: FeatureView, rows: DataFrame) -> DataFrame:
    """Return stored rows of a view as the transform of one derived from it gets them.

    Args:
        upstream: The view that stores them.
        rows: Its stored rows; of rows given by hand the store's own columns may be missing.
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
        parts["unique"] = F.struct(*(F.col(quoted(name)) for name in names))
    metadata = F.struct(*(column.alias(name) for name, column in parts.items()))
    return with_row_metadata(rows, metadata).drop(*_HIDDEN)


def upstream_names(upstream: FeatureView) -> tuple[str, ...]:
    """Return the columns that name an event of a view: its keys too, where rows are revised."""
    if not upstream.unique_columns:
        return ()
    keys = (key.name for key in upstream.join_keys)
    return tuple(dict.fromkeys((*keys, *upstream.unique_columns)))


def banned_operators(upstream: FeatureView) -> frozenset[str]:
    """Return what a transform may not do, for a row that it drops could not be taken back.

    A revision that does not pass a filter leaves the row that it revises; of a change feed, what
    is revised comes again as a whole and goes through the same filter.
    """
    safe = retracts_whole_rows(upstream) or not has_retractions(upstream)
    return frozenset() if safe else frozenset({"Filter"})


def _stored(rows: DataFrame, name: str, kind: str) -> Column:
    return (F.col(name) if name in rows.columns else F.lit(None)).cast(kind)
