"""Removal of retired builds: tables that a newer build replaced, and whose retention is over."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from featurestore.store.delta.cleanup import Removed, remove_file, remove_folder
from featurestore.store.layout import Layout
from featurestore.store.ledger.files import Files
from featurestore.store.ledger.tables import TableRecord, Tables


def expired_builds(
    records: Sequence[TableRecord], view: str, oldest: datetime
) -> tuple[TableRecord, ...]:
    """Return a view's builds that can be removed.

    A build that a derived view's table or unfinished build is made of stays.

    Args:
        records: The newest record of each build, of all views.
        view: The view's name.
        oldest: Builds that retired at this time or later stay.

    Example:
        >>> from datetime import UTC
        >>> expired_builds((), "spending", datetime(2026, 1, 1, tzinfo=UTC))
        ()
    """
    needed = {record.upstream for record in records if record.state in ("building", "current")}
    return tuple(
        record
        for record in records
        if record.view == view
        and record.state in ("retired", "repairing")  # a repair that was killed
        and record.at < oldest
        and record.table_id not in needed
    )


def remove_builds(
    layout: Layout, view: str, *, retention: timedelta, now: datetime, dry_run: bool = False
) -> tuple[tuple[str, ...], Removed]:
    """Remove a view's expired builds, and return their ids and what was removed.

    The ledger says first that they are removed. So no run takes up a build that is half gone, and
    what a crash leaves is removed by the next call.

    Args:
        layout: The addresses of the tables.
        view: The view's name. The caller holds its lock.
        retention: How long builds stay after they retired.
        now: The present time.
        dry_run: Whether to remove nothing.
    """
    tables = Tables(layout)
    records = tables.records()
    expired = expired_builds(records, view, now - retention)
    if expired and not dry_run:
        tables.record(*(replace(record, state="removed", at=now) for record in expired))
    halves = [record for record in records if (record.view, record.state) == (view, "removed")]
    removed = Removed()
    for record in (*expired, *halves):
        for uri in (
            layout.features(view, record.table_id),
            layout.checkpoints(record.table_id),
            layout.quarantine(view, record.table_id),
            layout.staging(record.table_id),
        ):
            removed += remove_folder(uri, dry_run=dry_run)
        removed += remove_file(layout.sketches(record.table_id), dry_run=dry_run)
    if expired and not dry_run:
        Files(layout).forget(record.table_id for record in expired)
    return tuple(record.table_id for record in expired), removed
