"""Checks of a view's source and transform, before its rows are read or written."""

from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import DataFrame, SparkSession

from featurestore.definitions.model.source import DeltaSource, StoredSource
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.errors.mapping import spark_errors
from featurestore.engines.spark.source.readers import read_now, require_present
from featurestore.engines.spark.transform.change_feed import is_feed, require_feed
from featurestore.engines.spark.transform.inputs import require_fitting_transform, rows_now
from featurestore.engines.spark.transform.run import transformed
from featurestore.engines.spark.transform.stored_rows import stored_rows
from featurestore.store.columns import used_columns
from featurestore.store.commit import LOG_PROPERTIES


@dataclass(frozen=True)
class ViewInput:
    """A view and its source.

    Args:
        view: The view, as loaded.
        source: The table or files to read: the view's source, or the table of its upstream view.
        uri: The source's address.
    """

    view: FeatureView
    source: StoredSource
    uri: str


def check_view(view_input: ViewInput, spark: SparkSession) -> bool:
    """Check that the view's source exists and that its columns fit; no row is read.

    Args:
        view_input: The view and its source.
        spark: A session of ours, by `session.child.own_session`.

    Returns:
        Whether a batch is to be read from the source each time that its rows are needed, in place
        of a copy. The files of a Delta table's versions do not change, so the rows are the same
        each time; and where nothing is computed, a copy costs more than to read them.

    Raises:
        SourceError: The source is missing, or a time column needs ``timezone=`` or ``unit=``.
        MaterializationError: The transform fails, or its columns are not as declared.
    """
    view, source = view_input.view, view_input.source
    require_present(source, view_input.uri, spark)
    require_feed(source, view_input.uri)
    with spark_errors(f"check view {view.name!r} ({view.origin})", view=view.name):
        rows = _no_rows(view_input, spark)
        stored_rows(view, transformed(view, rows))
        is_cheap = require_fitting_transform(view, rows)
        return is_cheap and isinstance(source, DeltaSource) and not is_feed(source)


def create_table(view_input: ViewInput, spark: SparkSession, table: str) -> None:
    """Create the view's feature table without rows."""
    view = view_input.view
    with spark_errors(f"create the table of view {view.name!r} ({view.origin})", view=view.name):
        rows = stored_rows(view, transformed(view, _no_rows(view_input, spark)))
        rows.write.format("delta").options(**LOG_PROPERTIES).save(table)


def preview_rows(
    view_input: ViewInput, spark: SparkSession, start: datetime | None = None
) -> DataFrame:
    """Return the rows that the view's table would have, from all present rows of its source.

    Raises:
        SourceError: The source is missing, or a time column needs ``timezone=`` or ``unit=``.
        MaterializationError: The transform fails, or its columns are not as declared.
    """
    view, source = view_input.view, view_input.source
    require_present(source, view_input.uri, spark)
    with spark_errors(f"read view {view.name!r} ({view.origin})", view=view.name):
        rows = rows_now(view, read_now(source, spark, view_input.uri, used_columns(view)))
        return stored_rows(view, transformed(view, rows), start)


def _no_rows(view_input: ViewInput, spark: SparkSession) -> DataFrame:
    view, source = view_input.view, view_input.source
    return rows_now(view, read_now(source, spark, view_input.uri, used_columns(view)).limit(0))
