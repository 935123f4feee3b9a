"""A source's rows as a view's transform gets them: with what the store knows of each, carried."""

from pyspark.sql import DataFrame

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.transform.change_feed import (
    batch_changes,
    current_changes,
    is_feed,
)
from featurestore.engines.spark.transform.derived import banned_operators, upstream_rows
from featurestore.engines.spark.transform.row_metadata import require_row_by_row
from featurestore.engines.spark.transform.run import run_transform


def rows_now(view: FeatureView, rows: DataFrame) -> DataFrame:
    """Return the rows of a view's source as they lie there now, as its transform gets them."""
    if isinstance(view.source, FeatureView):
        return upstream_rows(view.source, rows)
    return current_changes(rows) if is_feed(view.source) else rows


def batch_rows(
    view: FeatureView, rows: DataFrame, checkpoint: str, generation: int, batch_id: int
) -> DataFrame:
    """Return a batch of a view's stream as its transform gets it.

    Args:
        view: The view.
        rows: The batch.
        checkpoint: The stream's checkpoint.
        generation: Of the checkpoint.
        batch_id: The batch's number.
    """
    if is_feed(view.source):
        return batch_changes(rows, checkpoint, generation, batch_id)
    return rows_now(view, rows)


def require_fitting_transform(view: FeatureView, rows: DataFrame) -> None:
    """Refuse a transform whose rows could not be taken back when those of the source are.

    Args:
        view: The view.
        rows: Rows of its source, by `rows_now`; none of them is read.

    Raises:
        MaterializationError: It gathers rows, or drops some that are taken back later.
    """
    source = view.source
    if isinstance(source, FeatureView):
        require_row_by_row(view, run_transform(view, rows), banned_operators(source))
    elif is_feed(source):
        require_row_by_row(view, run_transform(view, rows))
