"""Maintenance of one view's tables: its current table, its latest table and its checkpoint."""

import json
from collections.abc import Sequence
from datetime import timedelta

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.source.offsets import (
    last_batch,
    last_ended_batch,
    source_offset,
)
from featurestore.errors import TableError
from featurestore.store.columns import sort_names
from featurestore.store.commit import LOG_PROPERTIES, newest_batch
from featurestore.store.delta.cleanup import (
    Removed,
    checkpoint,
    remove_checksums,
    set_properties,
    vacuum,
)
from featurestore.store.delta.compaction import Compaction, compact, planned
from featurestore.store.delta.log import is_table, latest_version
from featurestore.store.delta.snapshot import open_snapshot
from featurestore.store.integrity import table_damage
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import RunRecord
from featurestore.store.ledger.tables import TableRecord


def require_whole(uri: str, runs: Sequence[RunRecord], view: str) -> None:
    """Refuse a table that has lost commits: a compaction would seal the loss.

    Raises:
        TableError: The table is damaged.
    """
    if damage := table_damage(uri, runs):
        fix = "Run `featurestore doctor`, which lists what is damaged and the ways out."
        raise TableError(f"maintain view {view!r}", damage, fix)


def compact_table(view: FeatureView, uri: str, *, dry_run: bool) -> Compaction:
    """Join all small files of a view's current table.

    Args:
        view: The applied view. The caller holds its lock.
        uri: The table's address.
        dry_run: Whether to change nothing.
    """
    if not dry_run:  # first: each commit removes expired commits, if a table allows it
        set_properties(uri, LOG_PROPERTIES)
    snapshot = open_snapshot(uri)
    order = sort_names(view)
    # The keys of a changed view may be no columns of its present table.
    if not set(order) <= set(snapshot.schema.names):
        count = snapshot.files.num_rows
        return Compaction(files_before=count, files_after=count)
    return planned(snapshot) if dry_run else compact(uri, order)


def clean_table(
    layout: Layout,
    record: TableRecord,
    records: Sequence[TableRecord],
    retention: timedelta,
    *,
    dry_run: bool,
) -> Removed:
    """Remove the old files of a view's current table, its latest table and its quarantine.

    The commits of a feature table stay: their notes are its history. Their checksums go.

    Args:
        layout: The addresses of the tables.
        record: The current build.
        records: The newest record of each build, of all views.
        retention: How long files stay after a table no longer refers to them.
        dry_run: Whether to change nothing.
    """
    uri = layout.features(record.view, record.table_id)
    unread = unread_versions(layout, record, records)
    removed = vacuum(uri, retention, keep=unread, dry_run=dry_run)
    others = (layout.latest(record.view), layout.quarantine(record.view, record.table_id))
    tables = [uri, *filter(is_table, others)]
    for table in tables[1:]:
        removed += vacuum(table, retention, dry_run=dry_run)
    for table in tables:
        if not dry_run:
            checkpoint(table)
        removed += remove_checksums(table, dry_run=dry_run)
    return removed


def unread_versions(layout: Layout, record: TableRecord, records: Sequence[TableRecord]) -> range:
    """Return the versions of a build that a stream of a derived view has not read yet.

    A stream reads the files that each version added, also those that a compaction joined since.

    Args:
        layout: The addresses of the tables.
        record: The build of the upstream view.
        records: The newest record of each build, of all views.
    """
    uri = layout.features(record.view, record.table_id)
    newest = latest_version(uri) or 0
    after = newest + 1
    firsts = [
        _first_unread(layout, each)
        for each in records
        if each.upstream == record.table_id
        and each.state != "removed"  # a retired build may be taken up again
    ]
    return range(min((first for first in firsts if first is not None), default=after), after)


def _first_unread(layout: Layout, derived: TableRecord) -> int | None:
    """Return the first version that a derived build's stream may still read; None for all new."""
    stream = layout.checkpoint(derived.table_id, derived.generation)
    batch = newest_batch(layout.features(derived.view, derived.table_id))
    offsets = [
        None if batch is None else batch.notes.source_offset,
        # A batch that has begun reads from the end of the one before it.
        source_offset(stream, max(last_ended_batch(stream), 0))
        # An empty file is damage, and so is none of a batch that has begun.
        or (None if last_batch(stream) is None else ""),
    ]
    return min((_version(offset) for offset in offsets if offset is not None), default=None)


def _version(offset: str) -> int:
    """Return the version that an offset lies in: files of it may be unread.

    An offset that cannot be read may lie in any version.
    """
    try:
        return int(json.loads(offset)["reservoirVersion"])
    except (ValueError, TypeError, KeyError):
        return 0
