"""The release of rows: those that pass the present expectations are stored after all.

A release marks its rows, commits them to the feature table, and records when. So after a crash it
is known whether the marked rows are in the table: if they are, they are released; if not, they are
in quarantine as before. The next run or release of the view completes the marks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

import pyarrow as pa

from featurestore.definitions.code.expectations import expectations_of
from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.session.child import own_session
from featurestore.engines.spark.write.latest import refresh_if_stale
from featurestore.engines.spark.write.release import commit_released
from featurestore.errors import NotFoundError, RequestError
from featurestore.jobs.materialize.job import Job, RunResult, new_run_id
from featurestore.jobs.materialize.lock import view_lock
from featurestore.jobs.materialize.reconcile import finish_releases, of_run, outcome
from featurestore.jobs.materialize.start import loaded_view
from featurestore.jobs.quarantine.rows import build_of
from featurestore.quality.schema import checks_of
from featurestore.store.columns import EVENT_TIME
from featurestore.store.commit import CommitNotes, batch_commits, newest_batch
from featurestore.store.fault_points import fault_point
from featurestore.store.lease import held_lock
from featurestore.store.ledger.runs import RunRecord, Runs
from featurestore.store.ledger.tables import TableRecord
from featurestore.store.quarantine import (
    OWN_REASONS,
    Candidates,
    mark_released,
    mark_rows,
    releasable_rows,
)

_NAMED = 5


def release(job: Job, view_name: str, ids: Sequence[str] | None = None) -> RunResult:
    """Store rows of a view's quarantine in its feature table.

    Args:
        job: The project.
        view_name: The view's name.
        ids: The rows. None for all rows that pass the view's present expectations.

    Returns:
        A result like that of a run. Its ``rows_out`` is the number of released rows.

    Raises:
        NotFoundError: The view is not applied, or a row is not in its quarantine.
        RequestError: The quarantine is empty, a row still fails a check, the loaded definition is
            not the applied one, or the table is of an older definition.
        ConflictError: Another process materializes the view.
    """
    call, now, run_id = f"release({view_name!r})", job.clock(), new_run_id()
    build_of(job.layout, job.applied(), view_name, call)  # an unknown view has no lock
    applied = job.applied().view(view_name)
    view = loaded_view(job.loaded(), applied, call)  # type: ignore[arg-type]  # build_of has found it
    with view_lock(job.layout, view_name, run_id, now):
        # Read here: a run that has just ended may have switched to another build.
        record = build_of(job.layout, job.applied(), view_name, call)
        _require_present_definition(view, record, call)
        finish_releases(job.layout, record)
        chosen, failing = _chosen(job, view, record, ids, call)
        notes = _notes(job, view, record, run_id, now, chosen)
        uri = job.layout.quarantine(record.view, record.table_id)
        mark_rows(uri, chosen.ids, run_id)
        fault_point("release.marked", view_name)
        spark = own_session(job.spark())
        table = job.layout.features(record.view, record.table_id)
        lock = held_lock(job.layout.view_lock(view_name))
        commit_released(spark, view, quarantine=uri, table=table, notes=notes, now=now, lock=lock)
        fault_point("release.committed", view_name)
        mark_released(uri, run_id, now)
        fault_point("release.finished", view_name)
        result = _record(job, view, record, run_id, now)
        if view.latest:
            refresh_if_stale(spark, job.layout, view, record.table_id, job.clock())
    rest = f"; {failing:,} rows still fail a check and stay in quarantine" if failing else ""
    message = f"released {result.rows_out:,} rows as version {result.version}{rest}"
    return replace(result, message=message)


def _require_present_definition(view: FeatureView, record: TableRecord, call: str) -> None:
    """Refuse a build of an older definition: the next run replaces its table."""
    if record.fingerprint != table_fingerprint(view):
        raise RequestError(
            call,
            f"the table of view {view.name!r} is of an older definition, so that the next run "
            "builds another one from the source",
            f"Run `featurestore materialize {view.name}`. Then release the rows that its "
            "quarantine has by then.",
        )


def _chosen(
    job: Job, view: FeatureView, record: TableRecord, ids: Sequence[str] | None, call: str
) -> tuple[Candidates, int]:
    """Return the rows to release, and how many others still fail a check."""
    rows = releasable_rows(job.layout, record)
    if not rows.ids:
        raise RequestError(
            call,
            "no row of the view is in quarantine",
            f"`featurestore quarantine show {view.name} --released` shows released rows too.",
        )
    if ids is not None:
        rows = _of_ids(rows, ids, view, call)
    reasons = _reasons(view, rows)
    failing = {row: names for row, names in zip(rows.ids, reasons, strict=True) if names}
    if failing and (ids is not None or len(failing) == len(rows.ids)):
        shown = "; ".join(
            f"{row}: {', '.join(why)}" for row, why in list(failing.items())[:_NAMED]
        )
        more = f" and {len(failing) - _NAMED} more" if len(failing) > _NAMED else ""
        raise RequestError(
            call,
            f"{len(failing)} of {len(rows.ids)} rows still fail: {shown}{more}",
            "Nothing was released. Change the expectations and run `featurestore apply`, or "
            "correct the rows in the source: the next run reads corrected rows as new ones.",
        )
    return rows.only([row not in failing for row in rows.ids]), len(failing)


def _named(failing: Mapping[str, Sequence[str]]) -> str:
    rows = [f"{row} ({', '.join(names)})" for row, names in failing.items()]
    more = f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else ""
    return ", ".join(rows[:_NAMED]) + more


def _of_ids(rows: Candidates, ids: Sequence[str], view: FeatureView, call: str) -> Candidates:
    unknown = sorted(set(ids) - set(rows.ids))
    if unknown:
        raise NotFoundError(
            call,
            f"{len(unknown)} of {len(set(ids))} rows are not in quarantine: "
            f"{', '.join(unknown[:_NAMED])}",
            f"`featurestore quarantine show {view.name}` lists the rows with their ids.",
        )
    chosen = set(ids)
    return rows.only([row in chosen for row in rows.ids])


def _reasons(view: FeatureView, rows: Candidates) -> list[list[str]]:
    """Return the checks that each row fails now; none for a row that passes."""
    lasting = [[name for name in names if name in OWN_REASONS] for names in rows.reasons]
    if expectations_of(view) is None:
        return lasting
    now = checks_of(view).evaluate(rows.table).reasons.to_pylist()
    return [first or second or [] for first, second in zip(lasting, now, strict=True)]


def _notes(
    job: Job,
    view: FeatureView,
    record: TableRecord,
    run_id: str,
    now: datetime,
    rows: Candidates,
) -> CommitNotes:
    """Return the notes of the commit. The stream goes on after them as after its own batch."""
    batch = newest_batch(job.layout.features(record.view, record.table_id))
    last = None if batch is None else batch.notes
    return CommitNotes(
        run_id,
        view=view.name,
        table_id=record.table_id,
        generation=record.generation if last is None else last.generation,
        batch_id=-1 if last is None else last.batch_id,
        source_offset=None if last is None else last.source_offset,
        source_commit=None if last is None else last.source_commit,
        snapshot=view.snapshot,
        rows_in=len(rows.ids),
        rows_out=len(rows.ids),
        null_rows=0,
        max_event_timestamp=_newest(rows.table[EVENT_TIME]),
        started_at=now,
        release=True,
        source_columns=None if last is None else last.source_columns,
        source_name="" if last is None else last.source_name,
    )


def _newest(times: pa.ChunkedArray) -> int | None:
    values = [value for value in times.cast(pa.int64()).to_pylist() if value is not None]
    return max(values, default=None)


def _record(
    job: Job, view: FeatureView, record: TableRecord, run_id: str, now: datetime
) -> RunResult:
    table = job.layout.features(record.view, record.table_id)
    did = outcome(of_run(batch_commits(table), run_id))
    ended = RunRecord(
        run_id,
        view=record.view,
        table_id=record.table_id,
        kind="release",
        status="done",
        started_at=now,
        ended_at=job.clock(),
        outcome=did,
    )
    Runs(job.layout).record(ended)
    job.on_run(view, ended, "unseen")
    return RunResult(
        record.view,
        run_id=run_id,
        status="done",
        kind="release",
        version=did.version,
        rows_in=did.rows_in,
        rows_out=did.rows_out,
        table_id=record.table_id,
    )
