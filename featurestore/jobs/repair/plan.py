"""What the repair of a range would replace, or why it is refused. Nothing is written."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import datetime

import pyarrow.compute as pc

from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import DeltaSource, KafkaSource
from featurestore.definitions.model.view import FeatureView
from featurestore.errors import ConflictError, FeatureStoreError, RequestError, SourceError
from featurestore.jobs.materialize.evidence import gather
from featurestore.jobs.materialize.job import Job
from featurestore.jobs.materialize.refusal import Evidence, refusal
from featurestore.jobs.materialize.start import loaded_views, selected_names
from featurestore.jobs.materialize.upstream import Upstream, upstream_of
from featurestore.jobs.repair.position import Position, lost_file, position_of
from featurestore.query.selection import Selection
from featurestore.store.columns import EVENT_TIME
from featurestore.store.commit import CommitNotes, newest_batch
from featurestore.store.delta.log import latest_version
from featurestore.store.delta.records import read_table
from featurestore.store.delta.snapshot import open_snapshot, open_table
from featurestore.store.interval import Interval
from featurestore.store.ledger.runs import Runs
from featurestore.store.ledger.tables import TableRecord, Tables
from featurestore.times import to_micros


@dataclass(frozen=True)
class RepairPlan:
    """What the repair of a range replaces.

    Args:
        view: The view.
        start: The first moment of the range.
        end: The moment after the last one.
        rows: The number of rows of the range that the table has now.
        rows_kept: The number of its other rows, which are copied.
        files: The number of data files that have rows of the range.
        bytes: The size of these files.
        source_version: The version of a Delta source that is read; None for files.
        source_changed: Whether the source has changed since its rows were read. None if that is
            not known, as in an object store that Arrow cannot read. Unless it is False, all rows
            of the source are read and compared with the stored ones.
        rebuilt: The views derived from it, whose tables the next run builds again.
    """

    view: str
    _: KW_ONLY
    start: datetime
    end: datetime
    rows: int
    rows_kept: int
    files: int
    bytes: int
    source_version: int | None
    source_changed: bool | None
    rebuilt: tuple[str, ...] = ()


@dataclass(frozen=True)
class PreparedRepair:
    """A repair that is not refused.

    Args:
        plan: What it replaces.
        record: Its current build.
        upstream: Its source, or its upstream view's table.
        newest: The notes of its newest batch.
        position: Which rows of the source are read.
        version: The version of the present table that it copies.
    """

    plan: RepairPlan
    _: KW_ONLY
    record: TableRecord
    upstream: Upstream
    newest: CommitNotes
    position: Position
    version: int


def repair_plans(job: Job, views: Selection | None, interval: Interval) -> list[RepairPlan]:
    """Return what `repair` would replace, and write nothing.

    Args:
        job: The project.
        views: The views.
        interval: The range.

    Raises:
        NotFoundError: A view is not applied.
        RequestError: No view is named, or a view cannot be repaired.
        SourceError: A source cannot be read again.
    """
    targets = loaded_views(job, repaired_names(job, views))
    return [prepare_repair(job, view, interval).plan for view in targets]


def repaired_names(job: Job, views: Selection | None) -> list[str]:
    """Return the names of the views whose range is repaired. Their definitions are not loaded.

    Args:
        job: The project.
        views: The views.

    Raises:
        NotFoundError: A view is not applied.
        RequestError: No view is named, or one derives from another one of the call.
    """
    call = "materialize(start=..., end=...)"
    if views is None:
        raise RequestError(
            call,
            "no view is named",
            "Name the views whose range shall be computed again: "
            "`featurestore materialize VIEW --start 2026-01-31 --end 2026-02-01`.",
        )
    names = selected_names(job, views)
    _require_independent([view for view in job.applied().views if view.name in names], call)
    return names


def prepare_repair(job: Job, view: FeatureView, interval: Interval) -> PreparedRepair:
    """Return what the repair of a range would read and replace.

    Args:
        job: The project.
        view: The view, as loaded.
        interval: The range of event time.

    Raises:
        RequestError: The view is a snapshot view or is read from a change feed, has no table, has
            an unfinished build, or its next run builds a new table. Or the table leaves the range
            out.
        SourceError: The source cannot be read again as far as it was read.
        TableError: The view's table is damaged.
    """
    call = f"repair {interval} of view {view.name!r}"
    _require_repairable(view, call)
    upstream = upstream_of(view, job.layout)
    record = _current(job, view, upstream, call)
    _require_begun(view, record, interval, call)
    version = latest_version(job.layout.features(view.name, record.table_id))  # before its notes
    newest, position = _position(job, view, upstream, record, call)
    plan = _plan(job, view, interval, record, position)
    return PreparedRepair(
        plan,
        record=record,
        upstream=upstream,
        newest=newest,
        position=position,
        version=version or 0,
    )


def require_same_table(job: Job, prepared: PreparedRepair) -> None:
    """Check that no other process has changed the view's table since a repair was prepared.

    HDFS has no locks here, so another run may have begun.

    Args:
        job: The project.
        prepared: The repair.

    Raises:
        ConflictError: The table has another version, or is not the view's current table any more.
    """
    view, record = prepared.plan.view, prepared.record
    version = latest_version(job.layout.features(view, record.table_id))
    current = Tables(job.layout).current(view)
    if version == prepared.version and current is not None and current.table_id == record.table_id:
        return
    raise ConflictError(
        f"repair {Interval(prepared.plan.start, prepared.plan.end)} of view {view!r}",
        "another process has written to the view's table at the same time",
        "Nothing was replaced. Wait until that run has ended, and run the same command again.",
    )


def _plan(
    job: Job, view: FeatureView, interval: Interval, record: TableRecord, position: Position
) -> RepairPlan:
    uri = job.layout.features(view.name, record.table_id)
    snapshot = open_snapshot(uri)
    low, high = to_micros(interval.start), to_micros(interval.end)
    first, end = (f"to_timestamp_micros({each})" for each in (low, high))
    predicate = f"{EVENT_TIME} >= {first} AND {EVENT_TIME} < {end}"
    rows = read_table(open_table(uri), [EVENT_TIME], predicate).num_rows
    bounds = zip(
        *(
            pc.struct_field(snapshot.files[side], EVENT_TIME).to_pylist()
            for side in ("min", "max")
        ),
        snapshot.files["size_bytes"].to_pylist(),
        strict=True,
    )
    sizes = [
        size
        for first, last, size in bounds
        if first is None or (first < interval.end and last >= interval.start)
    ]
    return RepairPlan(
        view.name,
        start=interval.start,
        end=interval.end,
        rows=rows,
        rows_kept=snapshot.rows - rows,
        files=len(sizes),
        bytes=sum(sizes),
        source_version=position.version,
        source_changed=position.is_changed if position.is_known else None,
        rebuilt=derived_views(job.applied(), view.name),
    )


def derived_views(applied: Manifest, view: str) -> tuple[str, ...]:
    """Return the names of the views that are derived from a view, directly or not.

    Example:
        >>> derived_views(Manifest(), "spending")
        ()
    """
    return tuple(
        each.name for each in applied.views if view in {upper.name for upper in each.lineage}
    )


def _current(job: Job, view: FeatureView, upstream: Upstream, call: str) -> TableRecord:
    """Return the view's current build, if it is of the present definition."""
    tables = Tables(job.layout)
    record = tables.current(view.name)
    run = f"Run `featurestore materialize {view.name}` first"
    if tables.building(view.name) is not None:
        raise RequestError(call, "a build of the view has not ended", f"{run}: it ends the build.")
    if record is None:
        raise RequestError(call, "the view was never materialized", f"{run}.")
    if (record.fingerprint, record.upstream) != (table_fingerprint(view), upstream.table_id):
        found = "its table is of an older definition, or of an older table of its upstream view"
        raise RequestError(call, found, f"{run}: it builds a new table from all rows.")
    return record


def _require_begun(view: FeatureView, record: TableRecord, interval: Interval, call: str) -> None:
    """Refuse a range that the table leaves out.

    Raises:
        RequestError: The range is before the first event that the build takes.
    """
    if record.start is None or interval.end > record.start:
        return
    raise RequestError(
        call,
        f"its table leaves out events before {record.start.isoformat()}, as its first build was "
        "called with --start",
        f"Choose a later range. Or build it with an earlier --start: `featurestore materialize "
        f"{view.name} --full --start ...`.",
    )


def _position(
    job: Job, view: FeatureView, upstream: Upstream, record: TableRecord, call: str
) -> tuple[CommitNotes, Position]:
    """Return the notes of the newest batch, and which rows of the source to read again."""
    runs = Runs(job.layout).records(view.name)
    evidence = gather(job.layout, record, runs, upstream.source, upstream.uri)
    if problem := _refusal(view, evidence, call):
        raise problem
    batch = newest_batch(job.layout.features(view.name, record.table_id))
    checkpoint = job.layout.checkpoint(record.table_id, record.generation)
    position = (
        None
        if batch is None
        else position_of(upstream, checkpoint, batch.notes, record.generation, evidence)
    )
    if batch is None or position is None:
        raise RequestError(
            call,
            "the source cannot be read again up to where the last run has read it",
            f"Run `featurestore materialize {view.name}` first: it reads the source to its end.",
        )
    _require_readable(view, upstream, position, call)
    return batch.notes, position


def _require_readable(
    view: FeatureView, upstream: Upstream, position: Position, call: str
) -> None:
    """Check that the rows of a version before the newest one can still be read.

    Raises:
        SourceError: A file of it is gone: it was compacted, and the old files were removed.
    """
    if position.version is None:
        return
    if lost := lost_file(upstream.uri, position.version):
        raise SourceError(
            call,
            f"file {lost} of version {position.version} of source {view.source.name!r} is gone: "
            "runs have read the source up to this version only, and its files were removed since",
            f"Run `featurestore materialize {view.name}`, which reads the later rows. Then run "
            "the same command again: it reads the source's newest version.",
        )


def _require_repairable(view: FeatureView, call: str) -> None:
    """Refuse views whose rows the source cannot give again.

    Raises:
        RequestError: The view's table has a history of changes that its source has not.
    """
    source = view.source
    full = f"`featurestore materialize {view.name} --full`"
    if view.snapshot:
        raise RequestError(
            call,
            f"{view.name!r} is a snapshot view: its table has the changes that its runs found, "
            "and the source has the present rows only",
            f"Correct the source: the next run records the correction. Or begin again: {full}.",
        )
    if isinstance(source, KafkaSource):
        raise RequestError(
            call,
            f"source {source.name!r} is a Kafka topic, which is read by offsets and not by times",
            "Send corrected messages: unique_by= says which they replace. Or begin again: "
            f"{full}.",
        )
    if isinstance(source, DeltaSource) and source.change_feed:
        raise RequestError(
            call,
            f"source {source.name!r} is a change feed: the table has each change of its rows, and "
            "the source has the present rows only",
            f"Correct the source: the next run takes the correction in. Or begin again: {full}.",
        )


def _refusal(view: FeatureView, evidence: Evidence, call: str) -> FeatureStoreError | None:
    if evidence.table_damage or evidence.source_change:
        return refusal(view.name, evidence)
    if evidence.lost_files:
        return SourceError(
            call,
            evidence.lost_files,
            "Choose one: put the files back, and run the same command again. Or give up their "
            f"rows: `featurestore materialize {view.name} --full`.",
        )
    if evidence.checkpoint_problem or not evidence.table_exists:
        return RequestError(
            call,
            evidence.checkpoint_problem or "the view's table is gone",
            f"Run `featurestore materialize {view.name}` first: it goes on, or says what to do.",
        )
    return None


def _require_independent(views: Sequence[FeatureView], call: str) -> None:
    """Refuse a view together with one that derives from it: a repair makes a new table.

    Raises:
        RequestError: A view derives from another one of the call.
    """
    names = {view.name for view in views}
    for view in views:
        for upstream in view.lineage:
            if upstream.name in names:
                raise RequestError(
                    call,
                    f"view {view.name!r} derives from view {upstream.name!r}",
                    f"Repair {upstream.name!r} alone. Then run `featurestore materialize "
                    f"{view.name}`, which builds the derived table again.",
                )
