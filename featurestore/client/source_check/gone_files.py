"""The files that a present table was made of and that a new build cannot read any more.

Files may be cleaned up after they were read. A changed definition builds the table again, from the
files that are left: people must know before they apply it.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress

from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import FileSource
from featurestore.definitions.model.view import FeatureView
from featurestore.definitions.rules.issue import Issue, label
from featurestore.engines.spark.source.offsets import seen_files
from featurestore.engines.spark.source.renames import first_name, gone_names
from featurestore.errors import FeatureStoreError, SetupError
from featurestore.store.commit import batch_commits
from featurestore.store.earlier_tables import earlier_tables
from featurestore.store.layout import Layout
from featurestore.store.ledger.files import FileRecord, Files
from featurestore.store.ledger.runs import Runs
from featurestore.store.ledger.tables import TableRecord, Tables
from featurestore.store.paths import is_local
from featurestore.store.source_files import FilePath

_SHOWN = 3
_NOT_COUNTED = ("repair", "summary")


def gone_files(manifest: Manifest, layout: Layout, builds: Collection[str]) -> Iterator[Issue]:
    """Yield the views whose new table will lack rows of the present one: their files are gone.

    Args:
        manifest: The declared definitions.
        layout: The addresses of the tables and sources.
        builds: The views whose tables must be built.

    Example:
        >>> list(gone_files(Manifest(), Layout("no/such/store"), ["rides"]))
        []
    """
    tables = Tables(layout).records() if builds else ()
    taken_up = earlier_tables(manifest, layout, builds)
    for view in manifest.views:
        source = view.source
        if view.name not in builds or not isinstance(source, FileSource):
            continue
        own = [table for table in tables if table.view == view.name]
        current = next((table for table in own if table.state == "current"), None)
        if current is None or view.name in taken_up:
            continue
        with suppress(SetupError):  # a variable of the address is not set: another check says so
            uri = layout.source(source.location)
            if is_local(uri):
                yield from _gone(view, current, layout, FilePath(uri))


def _gone(
    view: FeatureView, table: TableRecord, layout: Layout, path: FilePath
) -> Iterator[Issue]:
    read = {path.name_of(file.path): file for file in Files(layout).records(table.table_id)}
    entries = seen_files(layout.checkpoint(table.table_id, table.generation))
    seen = {path.name_of(file.path): file for file in entries}
    gone = gone_names(path, entries, read)
    if not gone:
        return
    more = f" and {len(gone) - _SHOWN} more" if len(gone) > _SHOWN else ""
    count = len({*read, *seen} - {file.renamed_from for file in entries})
    rows = _rows(layout, table, read, [first_name(name, seen) for name in gone])
    yield Issue(
        view.origin,
        f"{label(view)}: its table is built again from the files that are there now. {len(gone)} "
        f"of the {count} files that its present table was made of are no longer there: "
        f"{', '.join(gone[:_SHOWN])}{more}. {rows}To keep the rows, "
        "put the files back before `featurestore materialize`.",
    )


def _rows(
    layout: Layout, table: TableRecord, read: Mapping[str, FileRecord], gone: Collection[str]
) -> str:
    """Return how many rows the files gave: the ledger has the rows of each run, not of a file."""
    if not read.keys() >= {*gone}:
        return ""  # a run that was killed has read one of them
    names = {read[name].run_id for name in gone}
    try:
        rows = _rows_of(layout, table, names)
    except FeatureStoreError:  # the table is damaged: the run says so
        return ""
    is_exact = all(name in gone for name in read if read[name].run_id in names)
    return f"They gave {'' if is_exact else 'at most '}{rows:,} rows. "


def _rows_of(layout: Layout, table: TableRecord, names: Collection[str]) -> int:
    """Return the rows that a table has by some runs.

    Of a repair, the ledger has the rows of its range only; of old runs, it may have a summary.
    """
    runs = Runs(layout).records(table.view)
    counted = {run.run_id: run.outcome.rows_out for run in runs if run.kind not in _NOT_COUNTED}
    if counted.keys() >= {*names}:
        return sum(counted[name] for name in names)
    commits = batch_commits(layout.features(table.view, table.table_id))
    return sum(each.notes.rows_out for each in commits if each.notes.run_id in names)
