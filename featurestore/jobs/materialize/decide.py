"""What one materialization of a view shall do, decided from evidence alone: nothing is touched."""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime

from featurestore.errors import RequestError, SourceError
from featurestore.jobs.materialize.job import Request
from featurestore.store.ledger.runs import RunKind
from featurestore.store.ledger.tables import TableRecord


@dataclass(frozen=True)
class Evidence:
    """What lies on disk of one build of a view's table.

    Args:
        exists: Whether the table is there.
        lost: Whether its stream's checkpoint is missing, older than the table, or one that took
            up the source after a lost one and has no whole batch yet.
        resumes_at: The Delta source version that follows the table's last commit; None where
            the stream cannot be taken up without its checkpoint.
        generation_used: Whether the last commit was of the recorded checkpoint generation.
        changed_files: Source files that changed after the table took their rows.
    """

    exists: bool = False
    lost: bool = False
    resumes_at: int | None = None
    generation_used: bool = False
    changed_files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """What to do.

    Args:
        kind: A run on a current table, or a build.
        table: The build to write to, as it shall be recorded.
        records: What to append to the ledger of tables first.
        starting_version: Where in a Delta source a new checkpoint starts; None for its beginning.
    """

    kind: RunKind
    _: KW_ONLY
    table: TableRecord
    records: tuple[TableRecord, ...] = ()
    starting_version: int | None = None


@dataclass(frozen=True)
class Situation:
    """A view as the ledger knows it, and as it is wanted.

    Args:
        view: Its name.
        fingerprint: What its table shall be built from.
        current: The build that readers see.
        building: The build that has not ended.
        evidence: Tells what lies on disk of a build.
        interrupted: Whether the last run on ``building`` was interrupted, not failed.
        upstream: Of a derived view: the build of its upstream view that is current.
        table_id: The name for a new build.
        now: The present moment.
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
    """Return what to do: go on with a build, begin one, or run on the current table.

    Raises:
        RequestError: ``start`` is given though no table is to be built.
        SourceError: Source files changed after they were read.
    """
    building = situation.building
    if building is not None and _goes_on(building, situation, request):
        return Step("build", table=building)
    retired = () if building is None else (_as(building, "retired", situation),)
    current = situation.current
    if current is None or request.full or not _fits(current, situation):
        return _build(situation, request, retired)
    if request.start is not None:
        raise RequestError(
            f"materialize({situation.view!r}, start=...)",
            "the view's table is built already, and a run takes whatever is new",
            "Leave start out, or give full=True to build the table anew from that moment on.",
        )
    return _run(situation, current, retired)


def ended(step: Step, situation: Situation) -> tuple[TableRecord, ...]:
    """Return the records that move the pointer to a build whose batches are all in."""
    records = (_as(step.table, "current", situation),)
    before = situation.current
    return records if before is None else (*records, _as(before, "retired", situation))


def _fits(table: TableRecord, situation: Situation) -> bool:
    """Whether a table is made as it shall be, and of the build that it shall be made of."""
    return (table.fingerprint, table.upstream) == (situation.fingerprint, situation.upstream)


def _goes_on(building: TableRecord, situation: Situation, request: Request) -> bool:
    if not _fits(building, situation):
        return False
    if request.start not in (None, building.start):
        return False
    if request.full and not situation.interrupted:
        return False  # what failed may fail for ever: --full is the way out
    found = situation.evidence(building)
    return not (found.lost or found.changed_files)


def _run(situation: Situation, current: TableRecord, retired: tuple[TableRecord, ...]) -> Step:
    found = situation.evidence(current)
    if found.changed_files:
        raise _changed(situation.view, found.changed_files)
    if not found.exists:
        return _build(situation, Request(start=current.start), retired)
    if not found.lost:
        return Step("run", table=current, records=retired)
    if found.resumes_at is None:
        return _build(situation, Request(start=current.start), retired)
    table = current
    if found.generation_used:
        table = replace(current, generation=current.generation + 1, at=situation.now)
        retired = (*retired, table)
    return Step("run", table=table, records=retired, starting_version=found.resumes_at)


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


def _as(record: TableRecord, state: str, situation: Situation) -> TableRecord:
    return replace(record, state=state, at=situation.now)  # type: ignore[arg-type]  # a TableState


def _changed(view: str, files: tuple[str, ...]) -> SourceError:
    shown = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")
    return SourceError(
        f"materialize view {view!r}",
        f"source files changed after they were read: {shown}",
        "Files are immutable: put the old ones back and add new rows as new files, or build "
        f"the view anew with `featurestore materialize {view} --full`.",
    )
