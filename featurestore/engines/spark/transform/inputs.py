"""The input of a view's transform: the source's rows, with row metadata where there is any."""

from functools import partial

from pyspark.sql import DataFrame

from featurestore.definitions.model.source import KafkaSource
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.source.messages import readable
from featurestore.engines.spark.transform.change_feed import (
    batch_changes,
    current_changes,
    is_feed,
)
from featurestore.engines.spark.transform.derived import banned_operators, upstream_rows
from featurestore.engines.spark.transform.row_by_row import (
    only_chooses,
    require_row_by_row,
    require_same_in_each_run,
)
from featurestore.engines.spark.transform.run import run_transform


def rows_now(view: FeatureView, rows: DataFrame) -> DataFrame:
    """Return the transform's input from all present rows of the view's source."""
    if isinstance(view.source, FeatureView):
        return upstream_rows(view.source, rows)
    if isinstance(view.source, KafkaSource):
        return readable(rows)
    return current_changes(rows) if is_feed(view.source) else rows


def batch_input(
    view: FeatureView, rows: DataFrame, checkpoint: str, generation: int, batch_id: int
) -> DataFrame:
    """Return the transform's input from a batch of the view's stream.

    Args:
        view: The view.
        rows: The batch.
        checkpoint: The stream's checkpoint.
        generation: The generation of the checkpoint.
        batch_id: The batch's number.
    """
    if is_feed(view.source):
        return batch_changes(rows, checkpoint, generation, batch_id)
    if isinstance(view.source, KafkaSource):
        return rows.persist()  # read once: the rows, their number, and the unreadable ones
    return rows_now(view, rows)


def require_fitting_transform(view: FeatureView, rows: DataFrame) -> bool:
    """Check that the transform makes each row from one source row, whenever it runs.

    The transform of a snapshot view may combine rows: it always sees all of them.

    Args:
        view: The view.
        rows: Input rows, by `rows_now`. None of them is read.

    Returns:
        Whether it only chooses rows and columns, so that it costs little.

    Raises:
        MaterializationError: The transform combines rows, its result depends on the run, or it
            drops rows that may be retracted.
    """
    if view.transform is None:
        return True
    if view.snapshot:
        require_same_in_each_run(view, partial(run_transform, view), rows)
        return False
    source = view.source
    banned = banned_operators(source) if isinstance(source, FeatureView) else frozenset()
    tree = require_row_by_row(view, partial(run_transform, view), rows, banned)
    # A Python function may make another plan for other rows than for the ones that it got here.
    return isinstance(view.transform, str) and only_chooses(tree)
