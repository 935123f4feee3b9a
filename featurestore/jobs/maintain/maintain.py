"""Maintenance of a store: fewer files, shorter logs, and nothing left that no reader needs."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from featurestore.definitions.model.view import FeatureView
from featurestore.errors import FeatureStoreError, RequestError, TableError
from featurestore.jobs.maintain.builds import remove_builds
from featurestore.jobs.maintain.checkpoints import prune_checkpoints
from featurestore.jobs.maintain.ledgers import clean_files, clean_profiles, clean_runs, ledgers
from featurestore.jobs.maintain.views import clean_table, compact_table, require_whole
from featurestore.jobs.materialize.job import Job, new_run_id
from featurestore.jobs.materialize.lock import view_lock
from featurestore.query.selection import Selection, selected_views, selection_text
from featurestore.store.delta.compaction import Compaction
from featurestore.store.failures import failure_text, storage_error
from featurestore.store.ledger.runs import Runs
from featurestore.store.ledger.tables import TableRecord, Tables
from featurestore.times import parse_duration_argument

# A reader of a table may take hours, and it opens files until its end.
SHORTEST_RETENTION = timedelta(hours=1)
RETENTION = timedelta(days=7)


@dataclass(frozen=True)
class Maintenance:
    """What was done to the tables of one view, or to one ledger.

    Args:
        table: The view's name, or the ledger's.
        files_before: The number of files of the current table before.
        files_after: The number of its files after: small files are joined.
        builds_removed: The ids of the retired builds that were removed.
        records_removed: The number of records of a ledger that were removed.
        files_removed: The number of files that were removed.
        bytes_removed: The size of these files.
        error: Why it could not be done; None if it was.
    """

    table: str
    files_before: int = 0
    files_after: int = 0
    builds_removed: tuple[str, ...] = ()
    records_removed: int = 0
    files_removed: int = 0
    bytes_removed: int = 0
    error: FeatureStoreError | None = None


def maintain(
    job: Job,
    views: Selection | None = None,
    *,
    retention: str | timedelta = RETENTION,
    dry_run: bool = False,
) -> list[Maintenance]:
    """Maintain views' tables, and the ledgers if all views are maintained.

    A view that fails, or that another process materializes, does not stop the others.

    Args:
        job: The project. No Spark session is started.
        views: Views, or services for all views that they need. None for all views.
        retention: How long files and builds stay after the store no longer needs them.
        dry_run: Whether to change nothing.

    Returns:
        A result for each view, then for each ledger.

    Raises:
        NotFoundError: A view is not applied.
        RequestError: The retention is too short.
    """
    kept_for = _retention(retention)
    applied = job.applied()
    chosen = (
        applied.views
        if views is None
        else selected_views(applied, views, f"maintain({selection_text(views)})")
    )
    clean_up = _CleanUp(job, kept_for, dry_run)
    results = [
        _result(view.name, partial(clean_up.of_view, view))
        for view in chosen
        if isinstance(view, FeatureView)
    ]
    if views is None:
        results += [
            _result(name, partial(clean_up.of_ledger, name, uri))
            for name, uri in ledgers(job.layout).items()
        ]
    return results


def _retention(retention: str | timedelta) -> timedelta:
    micros = parse_duration_argument("maintain()", "retention", retention)
    retention = timedelta(microseconds=micros)
    if retention < SHORTEST_RETENTION:
        raise RequestError(
            f"maintain(retention={retention})",
            "a reader that has opened a table needs its files for some time",
            "Use an hour at least, for example retention='1h'. The default is '7d'.",
        )
    return retention


def _result(table: str, run: Callable[[], Maintenance]) -> Maintenance:
    try:
        return run()
    except FeatureStoreError as error:
        return Maintenance(table, error=error)
    except OSError as error:
        return Maintenance(table, error=storage_error(error, f"maintain {table}"))
    except ValueError as error:  # a file of the table that is no JSON, or has other fields
        found = failure_text(error)
        fix = "Run `featurestore doctor`, which lists what is damaged and the ways out."
        return Maintenance(table, error=TableError(f"maintain {table}", found, fix))


@dataclass(frozen=True)
class _CleanUp:
    job: Job
    retention: timedelta
    dry_run: bool

    def of_view(self, view: FeatureView) -> Maintenance:
        if self.dry_run:
            return self._view(view)
        with view_lock(self.job.layout, view.name, new_run_id(), self.job.clock()):
            return self._view(view)

    def _view(self, view: FeatureView) -> Maintenance:
        layout, now = self.job.layout, self.job.clock()
        builds, removed = remove_builds(
            layout, view.name, retention=self.retention, now=now, dry_run=self.dry_run
        )
        result = Maintenance(view.name, builds_removed=builds)
        current = Tables(layout).current(view.name)
        if current is not None:
            done = self._compact(view, current)
            result = replace(result, files_before=done.files_before, files_after=done.files_after)
            records = Tables(layout).records()
            removed += clean_table(layout, current, records, self.retention, dry_run=self.dry_run)
            removed += prune_checkpoints(layout, current, dry_run=self.dry_run)
        return replace(result, files_removed=removed.files, bytes_removed=removed.size)

    def _compact(self, view: FeatureView, current: TableRecord) -> Compaction:
        layout, table_id = self.job.layout, current.table_id
        uri = layout.features(view.name, table_id)
        runs = [run for run in Runs(layout).records(view.name) if run.table_id == table_id]
        require_whole(uri, runs, view.name)
        return compact_table(view, uri, dry_run=self.dry_run)

    def of_ledger(self, name: str, uri: str) -> Maintenance:
        layout, now = self.job.layout, self.job.clock()
        records = 0
        if uri == layout.runs():
            records = clean_runs(layout, self.retention, now, dry_run=self.dry_run)
        if uri == layout.profiles():
            views = [view.name for view in self.job.applied().views]
            records = clean_profiles(layout, views, self.retention, now, dry_run=self.dry_run)
        removed = clean_files(uri, self.retention, dry_run=self.dry_run)
        return Maintenance(
            name,
            records_removed=records,
            files_removed=removed.files,
            bytes_removed=removed.size,
        )
