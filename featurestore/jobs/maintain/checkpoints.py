"""Removal of what a stream's checkpoint no longer needs: earlier batches and generations."""

from featurestore.engines.spark.source.file_log import prune
from featurestore.engines.spark.source.offsets import has_ended_batch
from featurestore.store.delta.cleanup import Removed, remove_folder
from featurestore.store.layout import Layout
from featurestore.store.ledger.tables import TableRecord


def prune_checkpoints(layout: Layout, record: TableRecord, *, dry_run: bool = False) -> Removed:
    """Remove the earlier generations of a build's checkpoint, and the earlier files of its log.

    Spark itself removes the earlier batches of its streams.

    Args:
        layout: The addresses of the tables.
        record: The build. The caller holds its view's lock.
        dry_run: Whether to remove nothing.
    """
    newest = layout.checkpoint(record.table_id, record.generation)
    removed = prune(newest, dry_run=dry_run)
    if not has_ended_batch(newest):
        return removed
    for generation in range(record.generation):
        removed += remove_folder(layout.checkpoint(record.table_id, generation), dry_run=dry_run)
    return removed
