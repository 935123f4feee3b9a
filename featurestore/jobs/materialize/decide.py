"""The decision of one materialization, from evidence only: it reads and writes nothing itself."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime

from featurestore.errors import RequestError
from featurestore.jobs.materialize.job import Request
from featurestore.jobs.materialize.messages import EARLIER_BUILD
from featurestore.jobs.materialize.refusal import (
    Evidence,
    files_gone,
    refusal,
    unrecorded_tables,
)
from featurestore.store.ledger.runs import RunKind
from featurestore.store.ledger.tables import TableRecord


@dataclass(frozen=True)
class Step:
    """The decision.

    Args:
        kind: A run on the current table, or a build.
        table: The build to write to, as the ledger shall record it.
        records: The records to append to the ledger of tables first.
        starts_at: The first version of a Delta source for a new checkpoint, or the offsets
            of a Kafka topic; None for all.
        note: What the result's message shall say about the decision, as a clause.
    """

    kind: RunKind
    _: KW_ONLY
    table: TableRecord
    records: tuple[TableRecord, ...] = ()
    starts_at: int | str | None = None
    note: str = ""


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
        retired: The retired builds, the oldest first.
        unrecorded: The tables that the ledger of builds has lost, as a clause; None if it has a
            record of the view, or if there are none.
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
    retired: tuple[TableRecord, ...] = ()
    unrecorded: str | None = None


def decide(situation: Situation, request: Request) -> Step:
    """Return the decision: continue a build, begin one, or run on the current table.

    Raises:
        RequestError: The request has ``start``, and no table is to be built.
        SourceError: Source files changed after they were read, or are gone where they are needed;
            or the source is another table now, or an older copy of it.
        TableError: The table has lost commits, or the ledger of builds has lost the table.
    """
    building = situation.building
    if situation.unrecorded and not request.full:
        raise unrecorded_tables(situation.view, situation.unrecorded)
    if building is not None and _continues(building, situation, request):
        return Step("build", table=building)
    retired = () if building is None else (_with_state(building, "retired", situation),)
    current = situation.current
    if current is None or request.full or not _matches(current, situation):
        earlier = _earlier_build(situation, request, retired)
        return earlier or _build(situation, request, retired)
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
    return situation.evidence(building).continues


def _earlier_build(
    situation: Situation, request: Request, records: tuple[TableRecord, ...]
) -> Step | None:
    """Return the step that takes up the newest retired build that fits; None without one.

    A change of the definition that was taken back needs only the rows that came since. An older
    build of the same fingerprint is never taken up: a newer one was built because it was wrong.
    Nor is one that began at another time: it lacks rows, or has more than requested.

    Raises:
        SourceError: The build that fits cannot go on, and files that it read are gone. The plan
            has not said so.
    """
    fitting = [table for table in situation.retired if _matches(table, situation)]
    if request.full or not fitting or request.start != fitting[-1].start:
        return None
    evidence = situation.evidence(fitting[-1])
    if not evidence.table_exists:
        return None
    if not evidence.continues:
        if evidence.lost_files:
            raise files_gone(situation.view, evidence)
        return None
    table = _with_state(fitting[-1], "building", situation)
    return Step("build", table=table, records=(*records, table), note=EARLIER_BUILD)


def _run(situation: Situation, current: TableRecord, retired: tuple[TableRecord, ...]) -> Step:
    evidence = situation.evidence(current)
    if problem := refusal(situation.view, evidence):
        raise problem
    if evidence.table_exists and not evidence.checkpoint_problem:
        return Step("run", table=current, records=retired)
    if not evidence.table_exists or evidence.resumes_at is None:
        if evidence.lost_files:
            raise files_gone(situation.view, evidence)
        reason = evidence.checkpoint_problem or "its table was gone"
        step = _build(situation, Request(start=current.start), retired)
        return replace(step, note=f"{reason}, so the table was built again")
    table, records = current, retired
    if evidence.new_generation is not None:
        table = replace(current, generation=evidence.new_generation, at=situation.now)
        records = (*retired, table)
    resumed = f"{evidence.checkpoint_problem}; it went on at {_position(evidence.resumes_at)}"
    return Step("run", table=table, records=records, starts_at=evidence.resumes_at, note=resumed)


def _position(resumes_at: int | str) -> str:
    return f"version {resumes_at}" if isinstance(resumes_at, int) else f"offsets {resumes_at}"


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
