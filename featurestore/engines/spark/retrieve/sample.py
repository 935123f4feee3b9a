"""The stored rows of a few keys as an Arrow table, for answers that need no table on disk."""

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.errors.mapping import spark_errors
from featurestore.engines.spark.source.timestamps import quoted
from featurestore.engines.spark.transform.inputs import rows_now
from featurestore.engines.spark.transform.run import transformed
from featurestore.engines.spark.transform.stored_rows import stored_rows, unmatched
from featurestore.store.columns import UTC_MICROS


def rows_of_keys(view: FeatureView, stored: DataFrame, keys: pa.Table) -> pa.Table:
    """Return the stored rows of these keys.

    Args:
        view: The view.
        stored: Its stored rows (see `rows.stored_rows`).
        keys: One column a join key, named and ordered like the view's.

    Returns:
        Stored columns, in no order of rows.
    """
    kept = stored.where(~unmatched(view))
    names = [key.name for key in view.join_keys]
    if names:
        wanted = kept.sparkSession.createDataFrame(keys.rename_columns(names)).distinct()
        kept = kept.join(F.broadcast(wanted), names, "left_semi").select(
            *(quoted(name) for name in stored.columns)
        )
    with spark_errors(f"read view {view.name!r} ({view.origin})"):
        return _in_utc(kept.toArrow())


def stored_of_given(view: FeatureView, given: pa.Table, spark: SparkSession) -> DataFrame:
    """Return the stored rows that some source rows become.

    Args:
        view: The view.
        given: Rows of its source.
        spark: The session that transforms.
    """
    with spark_errors(f"transform rows of view {view.name!r} ({view.origin})"):
        rows = rows_now(view, spark.createDataFrame(given))
        return stored_rows(view, transformed(view, rows))


def _in_utc(rows: pa.Table) -> pa.Table:
    """Spark labels times with the session's zone; the moments are the same."""
    fields = [
        pa.field(field.name, UTC_MICROS if pa.types.is_timestamp(field.type) else field.type)
        for field in rows.schema
    ]
    return rows.cast(pa.schema(fields))
