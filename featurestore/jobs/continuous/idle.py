"""Which sources have nothing new, of those that only Spark can read: topics and catalog tables."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from featurestore.definitions.model.source import DeltaSource, KafkaSource
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.source.catalog import table_location
from featurestore.engines.spark.source.messages import Behind, messages_behind
from featurestore.engines.spark.source.offsets import last_batch, last_ended_batch, source_offset
from featurestore.errors import FeatureStoreError
from featurestore.jobs.materialize.upstream import Upstream
from featurestore.jobs.materialize.without_spark.source import is_unchanged
from featurestore.store.layout import Layout
from featurestore.store.ledger.tables import Tables

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def idle_views(
    spark: "Callable[[], SparkSession]",
    layout: Layout,
    views: Sequence[FeatureView],
    report: Callable[[str, Behind | None], None],
) -> frozenset[str]:
    """Return the names of the views whose topic or catalog table has nothing that they lack.

    A view is left out if a run must look: one without a table, or whose last batch did not end;
    or if the broker or the catalog does not answer, which a run reports.

    Args:
        spark: Returns a session of ours. Not called without a view of a topic or such a table.
        layout: The addresses of the tables.
        views: The views.
        report: Called for each view of a topic with the messages that it lacks; None if they are
            not known.

    Example:
        >>> from featurestore.store.layout import Layout
        >>> idle_views(lambda: None, Layout("no/such/root"), [], lambda view, behind: None)
        frozenset()
    """
    remote = [
        view for view in views if _catalog_name(view) or isinstance(view.source, KafkaSource)
    ]
    if not remote:
        return frozenset()
    session, checkpoints = spark(), _checkpoints(layout)
    idle = set()
    for view in remote:
        if isinstance(view.source, KafkaSource):
            behind = _behind(session, view.source, checkpoints.get(view.name))
            report(view.name, behind)
            is_idle = behind is not None and not behind.count
        else:
            is_idle = _is_table_read(session, view, checkpoints.get(view.name))
        if is_idle:
            idle.add(view.name)
    return frozenset(idle)


def _catalog_name(view: FeatureView) -> str | None:
    return view.source.table if isinstance(view.source, DeltaSource) else None


def _checkpoints(layout: Layout) -> Mapping[str, str]:
    """Return the address of the checkpoint of each view's current table."""
    current = (each for each in Tables(layout).records() if each.state == "current")
    return {each.view: layout.checkpoint(each.table_id, each.generation) for each in current}


def _behind(spark: "SparkSession", source: KafkaSource, checkpoint: str | None) -> Behind | None:
    if checkpoint is None:
        return None
    last = last_ended_batch(checkpoint)
    offset = source_offset(checkpoint, last) if last == last_batch(checkpoint) else None
    return None if offset is None else messages_behind(source, spark, offset)


def _is_table_read(spark: "SparkSession", view: FeatureView, checkpoint: str | None) -> bool:
    name = _catalog_name(view)
    location = None if checkpoint is None or name is None else table_location(spark, name)
    if location is None or checkpoint is None:
        return False
    try:
        return is_unchanged(Upstream(view.source, location), checkpoint)  # type: ignore[arg-type]  # a DeltaSource
    # Of a folder that only Spark can open: the run reads it.
    except (FeatureStoreError, OSError, ValueError, LookupError, TypeError):
        return False
