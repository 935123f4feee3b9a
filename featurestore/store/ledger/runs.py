"""The ledger of runs: an index of the runs of views, which can be rebuilt from commits.

Records are ordered by a sequence number, never by the clock, which may be set back.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import KW_ONLY, asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from featurestore.store.delta.records import check_record
from featurestore.store.layout import Layout
from featurestore.store.ledger.append import append, delete, last_number, read, text_list
from featurestore.store.ledger.schemas import RUNS

_KINDS = {
    "run_id": str,
    "view": str,
    "table_id": str,
    "kind": str,
    "status": str,
    "started_at": datetime,
}

RunKind = Literal["run", "build", "release", "repair"]
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


@dataclass(frozen=True)
class RunRecord:
    """One materialization of one view.

    Args:
        run_id: The run's id, which is also in each of its commits.
        view: The view's name.
        table_id: The build that it wrote to.
        kind: ``run`` on a current table, ``build`` of a new table, ``release`` of rows from the
            quarantine, or ``repair`` of a range of event time.
        status: ``running`` until its last record; ``skipped`` if it never started.
        started_at: The time of its start.
        ended_at: The time of its end; None while it runs.
        outcome: Its result.
        sequence: The number of the record, from `Runs.record`. Records of older releases have 0.
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
        rows = [row for row in read(self._uri) if view in (None, row["view"])]
        for row in rows:
            check_record(self._uri, row, _KINDS)
        rows.sort(key=_order)
        return tuple({row["run_id"]: _run(row) for row in rows}.values())

    def record(self, *records: RunRecord) -> None:
        """Append records in one commit. The caller holds the lock of each record's view."""
        # Two processes may take the same number, but for different views.
        last = last_number(self._uri, "sequence")
        numbered = [
            replace(record, sequence=number) for number, record in enumerate(records, last + 1)
        ]
        append(self._uri, RUNS, [_flat(record) for record in numbered])

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
    return {**row, **outcome, "failures": json.dumps(outcome["failures"], sort_keys=True)}


def _run(row: Mapping[str, Any]) -> RunRecord:
    names = Outcome.__dataclass_fields__
    # A record of an older release lacks counts that were added later.
    outcome = {name: row[name] for name in names if row.get(name) is not None}
    outcome["failures"] = json.loads(outcome.get("failures", "{}"))
    rest = {name: value for name, value in row.items() if name not in names}
    return RunRecord(outcome=Outcome(**outcome), **rest | {"sequence": row.get("sequence") or 0})
