"""The decision of one materialization, from evidence only: it reads and writes nothing itself."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime

from featurestore.errors import RequestError, SourceError
from featurestore.jobs.materialize.job import Request
from featurestore.store.ledger.runs import RunKind
from featurestore.store.ledger.tables import TableRecord


@dataclass(frozen=True)
class Evidence:
    """The state of one build of a view's table on disk.

    Args:
        table_exists: Whether the table exists.
        checkpoint_lost: Whether the stream's checkpoint cannot continue: missing, older than the
            table, or a replacement without a finished batch.
        resumes_at: The version of a Delta source that follows the table's last commit; None if
            the stream cannot resume without its checkpoint.
        generation_used: Whether the last commit has the recorded generation of the checkpoint.
        changed_files: Source files that changed after their rows were stored.
    """

    table_exists: bool = False
    checkpoint_lost: bool = False
    resumes_at: int | None = None
    generation_used: bool = False
    changed_files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """The decision.

    Args:
        kind: A run on the current table, or a build.
        table: The build to write to, as the ledger shall record it.
        records: The records to append to the ledger of tables first.
        starting_version: The first version of a Delta source for a new checkpoint; None for all.
    """

    kind: RunKind
    _: KW_ONLY
    table: TableRecord
    records: tuple[TableRecord, ...] = ()
    starting_version: int | None = None


@dataclass(frozen=True)
class Situation:
    """The state of a view in the ledger, and its definition.

    Args:
        view: Its name.
        fingerprint: The fingerprint that its table shall have.
        current: The build that readers see.
        building: The build that has not ended.
        evidence: Returns the state of a build on disk.
        interrupted: Whether the last run on ``building`` was interrupted (and did not fail).
        upstream: The current build of the upstream view; None if the view is not derived.
        table_id: The name for a new build.
        now: The present time.
    """

    view: str
    _: KW_ONLY
    fingerprint: str
    current: TableRecord | None
    building: TableRecord | None
    evidence: Callable[[TableRecord], Evidence]
    interrupted: bool
    table_id: str
    now: datetime
    upstream: str | None = None


def decide(situation: Situation, request: Request) -> Step:
    """Return the decision: continue a build, begin one, or run on the current table.

    Raises:
        RequestError: The request has ``start``, and no table is to be built.
        SourceError: Source files changed after they were read.
    """
    building = situation.building
    if building is not None and _continues(building, situation, request):
        return Step("build", table=building)
    retired = () if building is None else (_with_state(building, "retired", situation),)
    current = situation.current
    if current is None or request.full or not _matches(current, situation):
        return _build(situation, request, retired)
    if request.start is not None:
        raise RequestError(
            f"materialize({situation.view!r}, start=...)",
            "the view's table exists, and a run stores all new rows",
            "Omit start, or add full=True (--full) to build a new table from that time on.",
        )
    return _run(situation, current, retired)


def ended(step: Step, situation: Situation) -> tuple[TableRecord, ...]:
    """Return the records that make an ended build the current one, and retire the previous one."""
    records = (_with_state(step.table, "current", situation),)
    before = situation.current
    return records if before is None else (*records, _with_state(before, "retired", situation))


def _matches(table: TableRecord, situation: Situation) -> bool:
    """Return whether a table has the view's fingerprint and the upstream view's current build."""
    return (table.fingerprint, table.upstream) == (situation.fingerprint, situation.upstream)


def _continues(building: TableRecord, situation: Situation, request: Request) -> bool:
    if not _matches(building, situation):
        return False
    if request.start not in (None, building.start):
        return False
    if request.full and not situation.interrupted:
        return False  # a failure may repeat on each run: --full must begin again
    evidence = situation.evidence(building)
    return not (evidence.checkpoint_lost or evidence.changed_files)


def _run(situation: Situation, current: TableRecord, retired: tuple[TableRecord, ...]) -> Step:
    evidence = situation.evidence(current)
    if evidence.changed_files:
        raise _changed(situation.view, evidence.changed_files)
    if not evidence.table_exists:
        return _build(situation, Request(start=current.start), retired)
    if not evidence.checkpoint_lost:
        return Step("run", table=current, records=retired)
    if evidence.resumes_at is None:
        return _build(situation, Request(start=current.start), retired)
    table, records = current, retired
    if evidence.generation_used:
        table = replace(current, generation=current.generation + 1, at=situation.now)
        records = (*retired, table)
    return Step("run", table=table, records=records, starting_version=evidence.resumes_at)


def _build(situation: Situation, request: Request, records: tuple[TableRecord, ...]) -> Step:
    table = TableRecord(
        situation.view,
        table_id=situation.table_id,
        fingerprint=situation.fingerprint,
        state="building",
        start=request.start,
        upstream=situation.upstream,
        at=situation.now,
    )
    return Step("build", table=table, records=(*records, table))


def _with_state(record: TableRecord, state: str, situation: Situation) -> TableRecord:
    return replace(record, state=state, at=situation.now)  # type: ignore[arg-type]  # a TableState


def _changed(view: str, files: tuple[str, ...]) -> SourceError:
    names = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
    return SourceError(
        f"materialize view {view!r}",
        f"source files changed after they were read: {names}",
        f"Rebuild the view with `featurestore materialize {view} --full`. Or restore the old "
        "files with their old modification times (cp -p), and add new rows as new files.",
    )
