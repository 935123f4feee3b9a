"""The ledger of runs: an index of the runs of views, which can be rebuilt from commits.

Records are ordered by a sequence number, never by the clock, which may be set back.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from featurestore.store.delta.records import check_record
from featurestore.store.layout import Layout
from featurestore.store.ledger.append import append, delete, read, substitute, text_list
from featurestore.store.ledger.schemas import RUNS

_KINDS = {
    "run_id": str,
    "view": str,
    "table_id": str,
    "kind": str,
    "status": str,
    "started_at": datetime,
}

RunKind = Literal["run", "build", "release", "repair", "summary"]
RunStatus = Literal["running", "done", "nothing", "failed", "interrupted", "skipped"]


@dataclass(frozen=True)
class Outcome:
    """The result of a run.

    Args:
        version: The version of the feature table after the run; None if it committed nothing.
        batches: The number of its commits.
        rows_in: The number of source rows read.
        rows_out: The number of rows stored.
        null_rows: The number of rows with a null key or without a time of the years 1 to 9999.
        null_unique_rows: The number of rows stored with a null in ``unique_by``.
        rows_quarantined: The number of rows put into the quarantine.
        failures: The number of rows that failed each check, by its name.
        max_event_timestamp: The newest event time stored; only for information.
        source_offset: The end of the run in the source, as in the stream's checkpoint.
        range_start: The first moment of the events that a repair has computed again.
        range_end: The moment after the last one.
        error: The error of a failed run; None for others.
    """

    version: int | None = None
    batches: int = 0
    rows_in: int = 0
    rows_out: int = 0
    null_rows: int = 0
    null_unique_rows: int = 0
    rows_quarantined: int = 0
    failures: Mapping[str, int] = field(default_factory=dict)
    max_event_timestamp: datetime | None = None
    source_offset: str | None = None
    range_start: datetime | None = None
    range_end: datetime | None = None
    error: str | None = None


_OUTCOME = Outcome.__dataclass_fields__.keys()


@dataclass(frozen=True)
class RunRecord:
    """One materialization of one view.

    Args:
        run_id: The run's id, which is also in each of its commits.
        view: The view's name.
        table_id: The build that it wrote to.
        kind: ``run`` on a current table, ``build`` of a new table, ``release`` of rows from the
            quarantine, ``repair`` of a range of event time, or ``summary`` of several runs.
        status: ``running`` until its last record; ``skipped`` if it never started.
        started_at: The time of its start.
        ended_at: The time of its end; None while it runs.
        outcome: Its result.
        sequence: The number of the record, from `Runs.record`. Records of older releases have 0.
        runs: The number of runs that a summary stands for; 1 for others.
        longest_pause: Of a summary, the most seconds between the starts of two of its runs; 0 for
            others.
    """

    run_id: str
    _: KW_ONLY
    view: str
    table_id: str
    kind: RunKind
    status: RunStatus
    started_at: datetime
    ended_at: datetime | None = None
    outcome: Outcome = field(default_factory=Outcome)
    sequence: int = 0
    runs: int = 1
    longest_pause: float = 0.0


class Runs:
    """The ledger of runs; it can be rebuilt from the tables' commits.

    Example:
        >>> Runs(Layout("no/such/root")).records()
        ()
    """

    def __init__(self, layout: Layout) -> None:
        self._uri = layout.runs()

    def records(self, view: str | None = None) -> tuple[RunRecord, ...]:
        """Return the last record of each run, oldest run first; of one view, or of all views."""
        rows = read(self._uri, None if view is None else _of_view(view))
        for row in rows:
            check_record(self._uri, row, _KINDS)
        rows.sort(key=_order)
        last = {row["run_id"]: row for row in rows}
        return tuple(map(_run, last.values()))

    def record(self, *records: RunRecord) -> None:
        """Append records in one commit. The caller holds the lock of each record's view."""
        # Two processes may take the same number, but for different views.
        append(self._uri, RUNS, [_flat(record) for record in records], number="sequence")

    def substitute(
        self, view: str, old: Sequence[RunRecord], summaries: Sequence[RunRecord]
    ) -> None:
        """Put summaries in the place of all records of ended runs, in one commit.

        Args:
            view: The view of all of them. The caller holds its lock.
            old: The runs, which have records with a sequence.
            summaries: The summaries. Each has the id of the last run that it stands for, and takes
                its place in the order of the records.
        """
        # Records that `clean` removes at the same time may come back: the next one removes them.
        rows = [row for row in read(self._uri, _of_view(view)) if row.get("sequence")]
        rows.sort(key=_order, reverse=True)
        gone = {run.run_id for run in old}
        first = {row["run_id"]: row["sequence"] for row in rows}
        last = max(row["sequence"] for row in rows if row["run_id"] in gone)
        kept = [row for row in rows if row["sequence"] <= last and row["run_id"] not in gone]
        new = [_flat(replace(each, sequence=first[each.run_id])) for each in summaries]
        condition = f"{_of_view(view)} AND sequence IS NOT NULL AND sequence <= {last:d}"
        substitute(self._uri, RUNS, [*kept, *new], condition)

    def clean(self, before: datetime, *, dry_run: bool = False) -> int:
        """Remove old records that no run needs, and return their number.

        These are the beginnings of runs that have ended, and runs that found nothing new. The last
        run of each view stays.

        Args:
            before: Records of runs that started at this time or later stay.
            dry_run: Whether to remove nothing.
        """
        rows = sorted(read(self._uri), key=_order)
        recent = [row.get("sequence") or 0 for row in rows if row["started_at"] >= before]
        newest = max((row.get("sequence") or 0 for row in rows), default=0)
        bound = min(recent, default=newest + 1)  # a run that begins meanwhile has a later one
        last = {row["view"]: row["run_id"] for row in rows}
        ended = {row["run_id"] for row in rows if row["status"] != "running"}
        active = {row["run_id"] for row in rows} - ended
        removed = sum(_is_removed(row, bound, {*last.values()}, active) for row in rows)
        if removed and not dry_run:
            begun = f"status = 'running' AND run_id NOT IN {text_list(['', *active])}"
            idle = f"status = 'nothing' AND run_id NOT IN {text_list(['', *last.values()])}"
            delete(self._uri, f"sequence < {bound:d} AND (({begun}) OR ({idle}))")
        return removed


def _of_view(view: str) -> str:
    return f"view IN {text_list([view])}"


def _is_removed(
    row: Mapping[str, Any], bound: int, last: Collection[str], active: Collection[str]
) -> bool:
    if row.get("sequence") is None or row["sequence"] >= bound:
        return False
    if row["status"] == "running":
        return row["run_id"] not in active
    return row["status"] == "nothing" and row["run_id"] not in last


def _order(row: Mapping[str, Any]) -> tuple[object, ...]:
    # Without a sequence: the record of an older release.
    is_end = row["status"] != "running"
    return row.get("sequence") or 0, row["started_at"], row["run_id"], is_end


def _flat(record: RunRecord) -> dict[str, object]:
    row = asdict(record)
    outcome = row.pop("outcome")
    if record.kind != "summary":
        row |= {"runs": None, "longest_pause": None}
    return {**row, **outcome, "failures": json.dumps(outcome["failures"], sort_keys=True)}


def _run(row: Mapping[str, Any]) -> RunRecord:
    # A record of an older release lacks counts that were added later.
    known = {name: value for name, value in row.items() if value is not None}
    known["failures"] = json.loads(known.get("failures", "{}"))
    outcome = {name: known.pop(name) for name in _OUTCOME & known.keys()}
    return RunRecord(outcome=Outcome(**outcome), **known)
