"""The profiles of one run: of the rows that it stored, of the whole table, and of features."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime, timedelta
from functools import partial

from featurestore.definitions.model.view import FeatureView
from featurestore.jobs.profiles.batches import BatchSketches
from featurestore.jobs.profiles.features import window_features
from featurestore.jobs.profiles.table import read_sketches, sketch_stored_rows, write_sketches
from featurestore.monitoring.columns import stored_columns_of
from featurestore.monitoring.profile import ColumnProfile, Profile, ProfileKind
from featurestore.monitoring.records import StoredProfiles, record_of
from featurestore.monitoring.rows import RowsSketch
from featurestore.monitoring.summary import summaries
from featurestore.store.delta.snapshot import open_snapshot
from featurestore.store.layout import Layout
from featurestore.store.ledger.profiles import ProfileHead, Profiles

_LOG = logging.getLogger(__name__)
_FEATURES_EVERY = timedelta(hours=1)
_MORE_ROWS = 1.05
_READ_EVERY = timedelta(days=1)
_WAITS = "; new rows are in no profile yet: the whole table is read for it at most once a day"


@dataclass(frozen=True)
class ProfiledRun:
    """A run whose rows are in the view's table.

    Args:
        layout: The addresses of the tables.
        view: The view, as loaded. The caller holds its lock.
        run_id: The run.
        table_id: The build of the view's table.
        now: The moment of the profile.
        is_repair: Whether the run has copied the other rows of the table, too. Then it has no
            profile of kind ``rows``.
    """

    layout: Layout
    _: KW_ONLY
    view: FeatureView
    run_id: str
    table_id: str
    now: datetime
    is_repair: bool = False


def record_profiles(run: ProfiledRun, batches: BatchSketches) -> str:
    """Record the profiles of a run that has ended, and return a note for the run's message.

    A failure is a part of the message only: the rows are stored, and the next run that stores rows
    makes the profile of the whole table again. Window features are apart: if they cannot be
    computed, the other profiles are recorded all the same.

    Args:
        run: The run.
        batches: The sketches of its batches.
    """
    steps = (partial(_record_rows, run, batches), partial(_record_features, run))
    return "".join(dict.fromkeys(_note(run, step) for step in steps))


def _note(run: ProfiledRun, step: Callable[[], str]) -> str:
    try:
        return step()
    except Exception as error:  # noqa: BLE001  # no problem of a profile may fail a run
        _LOG.warning("a profile of view %s was not recorded", run.view.name, exc_info=error)
        return f"; a profile was not recorded: {getattr(error, 'found', type(error).__name__)}"


def _record_rows(run: ProfiledRun, batches: BatchSketches) -> str:
    """Record the profiles of the run's rows and of the whole table.

    The sketches of the table are those before and those of the run. If these are not all rows of
    the table, as after a killed run, a repair, a release, or in a table of an earlier release, it
    is read.
    """
    own, columns = batches.rows, stored_columns_of(run.view)
    snapshot = open_snapshot(run.layout.features(run.view.name, run.table_id))
    before = read_sketches(run.layout, run.table_id, columns)
    table: RowsSketch | None = own if before is None else before.merged(own)
    if table is not None and table.rows != snapshot.rows:
        if not own.rows and _was_described(run):
            return _WAITS
        table = sketch_stored_rows(run.view, snapshot)
    elif not own.rows:
        return ""  # nothing was stored
    profiles = []
    if own.rows and not run.is_repair:
        profiles.append(_profile(run, "rows", summaries(columns, own)))
    if table is not None and table.rows:
        profiles.append(_profile(run, "table", summaries(columns, table)))
    if profiles:
        Profiles(run.layout).record(map(record_of, profiles))
    if table is not None and table.rows:
        # After the profiles: if these are lost, the next run still sees that rows are missing.
        write_sketches(run.layout, run.table_id, table)
    return ""


def _was_described(run: ProfiledRun) -> bool:
    """Return whether the whole table has a profile of the last day.

    Where Spark's workers cannot describe rows, the table would be read in each run.
    """
    heads = Profiles(run.layout).heads(run.view.name)
    since = run.now - _READ_EVERY
    return any(
        (each.table_id, each.kind) == (run.table_id, "table") and each.at > since for each in heads
    )


def _record_features(run: ProfiledRun) -> str:
    """Record the profile of window features, if it is due.

    PERF: the answers of the sampled keys may read the whole table. So a run that stores some rows
    makes it only if the last one is an hour old, or the table has grown by 5 % since. The second
    one of a build is made at once: with it there is something to compare.
    """
    if not run.view.aggregations:
        return ""
    heads = Profiles(run.layout).heads(run.view.name)
    has_stored = any(each.run_id == run.run_id for each in heads)
    own = [each for each in heads if (each.table_id, each.kind) == (run.table_id, "features")]
    is_recent = len(own) > 1 and own[-1].at > run.now - _FEATURES_EVERY
    if not has_stored:
        return ""
    snapshot = open_snapshot(run.layout.features(run.view.name, run.table_id))
    if is_recent and snapshot.rows < _MORE_ROWS * _rows_after(run, heads, own[-1].run_id):
        return ""
    if features := window_features(run.view, snapshot, run.now):
        Profiles(run.layout).record([record_of(_profile(run, "features", features))])
    return ""


def _rows_after(run: ProfiledRun, heads: Sequence[ProfileHead], run_id: str) -> int:
    """Return the rows that the table had after an earlier run, by its profile; 0 without one."""
    tables = [each for each in heads if (each.run_id, each.kind) == (run_id, "table")]
    found = StoredProfiles.of(tables, Profiles(run.layout).load(tables[-1:]))
    return max((each.rows for own in found.whole.values() for each in own), default=0)


def _profile(run: ProfiledRun, kind: ProfileKind, columns: tuple[ColumnProfile, ...]) -> Profile:
    return Profile(
        run.view.name,
        run_id=run.run_id,
        build_id=run.table_id,
        at=run.now,
        kind=kind,
        columns=columns,
    )
