"""The rows of a few keys as an Arrow table, computed from the source without a stored table."""

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.errors.mapping import spark_errors
from featurestore.engines.spark.transform.inputs import rows_now
from featurestore.engines.spark.transform.run import transformed
from featurestore.engines.spark.transform.stored_rows import stored_rows, unmatched
from featurestore.quoting import spark_name
from featurestore.store.columns import UTC_MICROS


def rows_of_keys(view: FeatureView, stored: DataFrame, keys: pa.Table) -> pa.Table:
    """Return the stored rows of these keys, as Arrow.

    Args:
        view: The view.
        stored: Its stored rows, by `stored_rows`.
        keys: One column for each join key, with the view's names and order.

    Returns:
        The stored columns, in no particular order of rows.
    """
    rows = stored.where(~unmatched(view))
    names = [key.name for key in view.join_keys]
    if names:
        targets = rows.sparkSession.createDataFrame(keys.rename_columns(names)).distinct()
        rows = rows.join(F.broadcast(targets), names, "left_semi").select(
            *(spark_name(name) for name in stored.columns)
        )
    with spark_errors(f"read view {view.name!r} ({view.origin})", view=view.name):
        return _in_utc(rows.toArrow())


def stored_from_source_rows(
    view: FeatureView, source_rows: pa.Table, spark: SparkSession
) -> DataFrame:
    """Return the stored rows that the view makes of source rows.

    Args:
        view: The view.
        source_rows: Rows of its source.
        spark: The session that runs the transform.
    """
    with spark_errors(f"transform rows of view {view.name!r} ({view.origin})", view=view.name):
        rows = rows_now(view, spark.createDataFrame(source_rows))
        return stored_rows(view, transformed(view, rows))


def _in_utc(rows: pa.Table) -> pa.Table:
    """Return the rows with times labelled UTC; Spark labels them with the session's time zone."""
    fields = [
        pa.field(field.name, UTC_MICROS if pa.types.is_timestamp(field.type) else field.type)
        for field in rows.schema
    ]
    return rows.cast(pa.schema(fields))
