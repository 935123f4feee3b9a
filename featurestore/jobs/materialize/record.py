"""The records of one run in the ledger of runs, and the result that the caller gets."""

from dataclasses import KW_ONLY, dataclass, replace

from featurestore.definitions.code.expectations import declared_expectations
from featurestore.definitions.model.view import FeatureView
from featurestore.errors import FeatureStoreError, TableError, with_note
from featurestore.jobs.materialize.job import Job, RunResult
from featurestore.jobs.materialize.messages import NOTHING_NEW, run_summary, unit_note
from featurestore.jobs.materialize.reconcile import of_run, outcome
from featurestore.jobs.openlineage.observer import RunStart
from featurestore.store.commit import BatchCommit, batch_commits
from featurestore.store.delta.log import latest_version
from featurestore.store.delta.snapshot import open_snapshot
from featurestore.store.ledger.runs import Outcome, RunKind, RunRecord, Runs, RunStatus
from featurestore.store.ledger.tables import TableRecord, Tables


@dataclass(frozen=True)
class RunLog:
    """The ledger's records of one run of one view.

    Args:
        job: The project.
        view: The view, as loaded.
        run_id: The run's name in the ledger and in commits.
    """

    job: Job
    _: KW_ONLY
    view: FeatureView
    run_id: str

    def begin(self, table: TableRecord, kind: RunKind) -> RunRecord:
        """Record that the run has started to write a build of the table, and return the record."""
        record = self._record(table.table_id, kind)
        Runs(self.job.layout).record(record)
        self.job.on_run(self.view, record, "seen")
        return record

    def end(self, record: RunRecord, before: int | None) -> RunResult:
        """Record what the run has committed.

        Args:
            record: The record of its beginning.
            before: The table's version when the run began; None without a table.
        """
        uri = self._table(record)
        commits = batch_commits(uri, after=-1 if before is None else before)
        did = outcome(of_run(commits, self.run_id))
        status: RunStatus = "done" if did.batches or record.kind == "build" else "nothing"
        self._append(record, status, did, "seen")
        version = latest_version(uri) if did.version is None else did.version
        message = (
            NOTHING_NEW
            if status == "nothing"
            else run_summary(
                did,
                version,
                self.view.unique_columns,
                warnings=_warnings(self.view),
                is_empty=not open_snapshot(uri).rows,
            )
            + unit_note(getattr(self.view.source, "unit", None), did)
        )
        return self._result(record, status, did, version=version, message=message)

    def fail(self, error: FeatureStoreError, status: RunStatus) -> RunResult:
        """Record that the run has failed or was interrupted, and what it had committed by then.

        Nothing is recorded where the run has ended in the ledger already: only what came after it,
        such as the latest table, has failed then.
        """
        try:
            record, did = self._failed(error, status)
        except FeatureStoreError as unrecorded:  # e.g. a full disk, or a damaged ledger
            record, did = self._record("", "run"), Outcome()
            # A damaged ledger may be the failure.
            why = "" if unrecorded.found in error.found else f": {unrecorded.found}"
            error = with_note(error, f"the failure could not be recorded{why}")
        result = self._result(record, status, did, version=did.version, message=str(error))
        return replace(result, error=error)

    def _failed(self, error: FeatureStoreError, status: RunStatus) -> tuple[RunRecord, Outcome]:
        begun = self._begun()
        record = begun or self._not_begun()
        did = record.outcome
        if record.status == "running":
            did = replace(outcome(self._commits(record)), error=str(error))
            self._append(record, status, did, "seen" if begun else "unseen")
        return record, did

    def _commits(self, record: RunRecord) -> list[BatchCommit]:
        """Return the run's commits by now; none if the table's log is damaged."""
        try:
            return of_run(batch_commits(self._table(record)), self.run_id)
        except TableError:
            return []

    def skip(self, reason: str) -> RunResult:
        """Record that the view was not run.

        Args:
            reason: Why, as a part of a sentence.
        """
        message = f"skipped: {reason}"
        record, did = self._record("", "run"), Outcome(error=message)
        try:
            record = self._not_begun()
            self._append(record, "skipped", did, "unseen")
        except FeatureStoreError as unrecorded:
            message += f" (not recorded: {unrecorded.found})"
        return self._result(record, "skipped", did, version=None, message=message)

    def _table(self, record: RunRecord) -> str:
        return self.job.layout.features(record.view, record.table_id)

    def _record(self, table_id: str, kind: RunKind) -> RunRecord:
        return RunRecord(
            self.run_id,
            view=self.view.name,
            table_id=table_id,
            kind=kind,
            status="running",
            started_at=self.job.clock(),
        )

    def _begun(self) -> RunRecord | None:
        records = Runs(self.job.layout).records(self.view.name)
        return next((record for record in records if record.run_id == self.run_id), None)

    def _not_begun(self) -> RunRecord:
        current = Tables(self.job.layout).current(self.view.name)
        if current is None:
            return self._record("", "build")
        return self._record(current.table_id, "run")

    def _append(self, record: RunRecord, status: RunStatus, did: Outcome, start: RunStart) -> None:
        ended = replace(record, status=status, ended_at=self.job.clock(), outcome=did)
        Runs(self.job.layout).record(ended)
        self.job.on_run(self.view, ended, start)

    def _result(
        self,
        record: RunRecord,
        status: RunStatus,
        did: Outcome,
        *,
        version: int | None,
        message: str,
    ) -> RunResult:
        return RunResult(
            self.view.name,
            run_id=self.run_id,
            status=status,
            kind=record.kind,
            version=version,
            rows_in=did.rows_in,
            rows_out=did.rows_out,
            null_rows=did.null_rows,
            null_unique_rows=did.null_unique_rows,
            rows_quarantined=did.rows_quarantined,
            failures=did.failures,
            message=message,
            table_id=record.table_id,
        )


def _warnings(view: FeatureView) -> frozenset[str]:
    """Return the names of the view's checks whose failing rows are stored."""
    declared = declared_expectations(view)
    checks = () if declared is None else declared.checks
    return frozenset(check.name for check in checks if check.severity == "warn")
