"""What is checked of a view's source and transform before anything is read or written."""

from datetime import datetime

from pyspark.sql import DataFrame, SparkSession

from featurestore.definitions.view import FeatureView
from featurestore.engines.spark.carried import require_row_by_row
from featurestore.engines.spark.change_feed import current_rows, is_feed, require_feed
from featurestore.engines.spark.errors import spark_errors
from featurestore.engines.spark.rows import stored_rows
from featurestore.engines.spark.sources import address, read_now, require_present, stored_source
from featurestore.engines.spark.transform import run_transform, transformed
from featurestore.errors import SourceError


def check_view(view: FeatureView, spark: SparkSession, folder: str) -> None:
    """Refuse a view whose source is missing, or whose columns do not fit; reads no rows.

    Args:
        view: The view, as loaded.
        spark: A session of ours, by `writing.own_session`.
        folder: The project's folder, which the source's path starts from.

    Raises:
        SourceError: The source is missing, or a time column needs ``timezone=`` or ``unit=``.
        MaterializationError: The transform fails, or gives other columns than declared.
    """
    source = stored_source(view)
    require_present(source, folder)
    require_feed(source, address(source.path, folder))
    with spark_errors(f"check view {view.name!r} ({view.origin})"):
        _sample(view, spark, folder)
        if is_feed(source):
            require_row_by_row(view, run_transform(view, _no_rows(view, spark, folder)))


def require_rows(view: FeatureView, spark: SparkSession, folder: str) -> None:
    """Refuse to build a table from a source without any row.

    Raises:
        SourceError: The source is empty.
    """
    source = stored_source(view)
    asked = f"materialize view {view.name!r} ({view.origin})"
    with spark_errors(asked):
        empty = read_now(source, spark, folder).isEmpty()
    if empty:
        raise SourceError(
            asked,
            f"source {source.name!r} at {source.path} is empty: it has no row at all",
            "Add rows to it, then materialize again.",
        )


def create_table(view: FeatureView, spark: SparkSession, folder: str, table: str) -> None:
    """Create the view's feature table without rows, where no row of the source was to be kept."""
    with spark_errors(f"create the table of view {view.name!r} ({view.origin})"):
        _sample(view, spark, folder).write.format("delta").save(table)


def preview_rows(
    view: FeatureView, spark: SparkSession, folder: str, start: datetime | None = None
) -> DataFrame:
    """Return all rows that the view's table would hold, from its source as it is now.

    Raises:
        SourceError: The source is missing, or a time column needs ``timezone=`` or ``unit=``.
        MaterializationError: The transform fails, or gives other columns than declared.
    """
    source = stored_source(view)
    require_present(source, folder)
    with spark_errors(f"read view {view.name!r} ({view.origin})"):
        rows = current_rows(view, read_now(source, spark, folder))
        return stored_rows(view, transformed(view, rows), start)


def _sample(view: FeatureView, spark: SparkSession, folder: str) -> DataFrame:
    return stored_rows(view, transformed(view, _no_rows(view, spark, folder)))


def _no_rows(view: FeatureView, spark: SparkSession, folder: str) -> DataFrame:
    return current_rows(view, read_now(stored_source(view), spark, folder).limit(0))
