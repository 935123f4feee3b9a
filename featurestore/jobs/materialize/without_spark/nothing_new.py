"""Views whose sources have nothing new: decided, and recorded, without a session.

Whatever else a run would find is left to the run: a build to begin or to end, a crashed run, a
problem of the table or of the source. So nothing is decided twice. A snapshot view compares all
rows of its source at each run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.latest.freshness import is_fresh
from featurestore.errors import FeatureStoreError
from featurestore.jobs.contract.check import lacks_columns
from featurestore.jobs.materialize.evidence import gather
from featurestore.jobs.materialize.job import Job, RunResult
from featurestore.jobs.materialize.messages import NOTHING_NEW, upstream_note
from featurestore.jobs.materialize.upstream import Upstream, upstream_of
from featurestore.jobs.materialize.without_spark.source import is_unchanged
from featurestore.store.commit import newest_rows
from featurestore.store.delta.log import latest_version
from featurestore.store.ledger.runs import Outcome, RunRecord, Runs
from featurestore.store.ledger.tables import TableRecord, Tables
from featurestore.store.quarantine import pending_releases


@dataclass(frozen=True)
class _Idle:
    """A view that has nothing new."""

    view: FeatureView
    table: TableRecord
    upstream: Upstream


def nothing_new(
    job: Job, views: Sequence[FeatureView], run_ids: Mapping[str, str]
) -> dict[str, RunResult]:
    """Record the runs of the views that have nothing new, and return their results by view.

    Args:
        job: The project.
        views: The views to materialize. The caller holds their locks.
        run_ids: The name of each view's run.
    """
    now = job.clock()  # rows that come later are not looked at
    search = _Search(job)
    chosen = {view.name for view in views}
    idle: dict[str, _Idle] = {}
    for view in sorted(views, key=lambda view: len(view.lineage)):
        above = view.source.name if view.lineage else ""
        if above in chosen and above not in idle:
            continue  # its upstream view gets new rows first
        if found := search.idle(view):
            idle[view.name] = found
    if not idle:
        return {}
    records = [
        RunRecord(
            run_ids[name],
            view=name,
            table_id=each.table.table_id,
            kind="run",
            status="nothing",
            started_at=now,
            ended_at=now,
            outcome=Outcome(),
        )
        for name, each in idle.items()
    ]
    Runs(job.layout).record(*records)
    for record in records:
        job.on_run(idle[record.view].view, record, "unseen")
    return {record.view: _result(job, record, idle[record.view]) for record in records}


def _result(job: Job, record: RunRecord, idle: _Idle) -> RunResult:
    note = upstream_note(idle.view.source.name, idle.upstream.version)
    return RunResult(
        record.view,
        run_id=record.run_id,
        status="nothing",
        kind="run",
        version=latest_version(job.layout.features(record.view, record.table_id)),
        message=NOTHING_NEW + note,
        table_id=record.table_id,
    )


@dataclass(frozen=True)
class _Search:
    job: Job

    @cached_property
    def runs(self) -> tuple[RunRecord, ...]:
        return Runs(self.job.layout).records()

    @cached_property
    def builds(self) -> tuple[TableRecord, ...]:
        return Tables(self.job.layout).records()

    def idle(self, view: FeatureView) -> _Idle | None:
        """Return the view's table if it has nothing new; None if a run must look, or may fail."""
        try:
            return self._idle(view)
        # The run names what is wrong, such as damaged JSON of the stream's checkpoint.
        except (FeatureStoreError, OSError, ValueError, LookupError, TypeError):
            return None

    def _idle(self, view: FeatureView) -> _Idle | None:
        builds = {record.state: record for record in self.builds if record.view == view.name}
        current = builds.get("current")
        if current is None or "building" in builds or view.snapshot:
            return None
        if lacks_columns(self.job.layout, view, current):
            return None  # a run records them
        upstream = upstream_of(view, self.job.layout)
        expected = (table_fingerprint(view), upstream.table_id)
        if (current.fingerprint, current.upstream) != expected:
            return None
        idle = _Idle(view, current, upstream)
        # The ledger of runs is read only for a view without new rows: a run reads it itself.
        return idle if self._is_unchanged(idle) and self._is_whole(idle) else None

    def _is_whole(self, idle: _Idle) -> bool:
        """Return whether the ledger knows the newest commit, and the evidence has no problem."""
        layout, view = self.job.layout, idle.view.name
        runs = [run for run in self.runs if run.view == view]
        batch = newest_rows(layout.features(view, idle.table.table_id))
        ended = {run.run_id for run in runs if run.status != "running"}
        if len(ended) < len(runs) or (batch is not None and batch.notes.run_id not in ended):
            return False
        if pending_releases(layout.quarantine(view, idle.table.table_id)):
            return False
        upstream = idle.upstream
        evidence = gather(layout, idle.table, runs, upstream.source, upstream.uri)
        return evidence.table_exists and evidence.continues

    def _is_unchanged(self, idle: _Idle) -> bool:
        layout, table = self.job.layout, idle.table
        if not is_unchanged(idle.upstream, layout.checkpoint(table.table_id, table.generation)):
            return False
        return not idle.view.latest or is_fresh(layout, idle.view, table.table_id)
