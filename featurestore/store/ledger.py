"""Append-only ledgers as small Delta tables: which build of a view is current, and its runs.

A state is never changed, only followed by a newer record, so that two processes never fight over
a row. Records are ordered by a sequence number per view; clocks only inform.
"""

import random
import time
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError

from featurestore.store.delta_log import is_table
from featurestore.store.kept import Kept
from featurestore.store.layout import Layout
from featurestore.store.ledger_schemas import FILES, RUNS, TABLES
from featurestore.store.records import read_records
from featurestore.store.snapshot import open_table

TableState = Literal["building", "current", "retired"]
RunKind = Literal["run", "build"]
RunStatus = Literal["running", "done", "nothing", "failed", "interrupted", "skipped"]

_ATTEMPTS = 10


@dataclass(frozen=True)
class TableRecord:
    """What became of one build of a view's feature table.

    Args:
        view: The view's name.
        table_id: The build; names its folder.
        fingerprint: Of everything that determines its rows.
        state: ``building`` until all batches are in, then ``current``, then ``retired``.
        generation: Of its stream's checkpoint; a lost checkpoint starts the next one.
        start: Older events are left out of this table; None for none.
        upstream: Of a derived view: the build of its source view that it is made of.
        at: When this was recorded.
        sequence: Order among the view's records; given by `Tables.record`.
    """

    view: str
    _: KW_ONLY
    table_id: str
    fingerprint: str
    state: TableState
    generation: int = 0
    start: datetime | None = None
    upstream: str | None = None
    at: datetime
    sequence: int = 0


@dataclass(frozen=True)
class Outcome:
    """What a run did.

    Args:
        version: Version of the feature table after it; None if it committed nothing.
        batches: Commits that it made.
        rows_in: Source rows that it read for them.
        rows_out: Rows that it stored.
        null_rows: Rows left out because a key or the event time is null.
        null_unique_rows: Rows stored with a null in ``unique_by``.
        max_event_timestamp: The newest event that it stored; informs only.
        source_offset: Where in the source it ended, as the stream's checkpoint says it.
        error: Why it failed.
    """

    version: int | None = None
    batches: int = 0
    rows_in: int = 0
    rows_out: int = 0
    null_rows: int = 0
    null_unique_rows: int = 0
    max_event_timestamp: datetime | None = None
    source_offset: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class RunRecord:
    """One materialization of one view.

    Args:
        run_id: Names it; every commit that it made carries it.
        view: The view's name.
        table_id: The build that it wrote to.
        kind: ``run`` on a current table, or ``build`` of a new one.
        status: ``running`` until its last record; ``skipped`` where it never began.
        started_at: When it started.
        ended_at: When it ended; None while it runs.
        outcome: What it did.
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


@dataclass(frozen=True)
class FileRecord:
    """A source file that a table holds the rows of.

    Args:
        view: The view's name.
        table_id: The build that read it.
        path: The file's address.
        size: Its bytes; -1 where it had changed before they could be noted.
        modified_at: Its time when it was read, in UTC milliseconds.
        run_id: The run that read it.
    """

    view: str
    _: KW_ONLY
    table_id: str
    path: str
    size: int
    modified_at: int
    run_id: str


class Tables:
    """The ledger of builds: which table of a view is being built, current or retired.

    Example:
        >>> Tables(Layout("no/such/root")).current("card_activity") is None
        True
    """

    def __init__(self, layout: Layout) -> None:
        self._uri = layout.tables()
        self._kept = Kept(self._uri, _builds)

    def records(self) -> tuple[TableRecord, ...]:
        """Return the newest record of each build, in the order of their recording."""
        return self._kept.newest() or ()

    def current(self, view: str) -> TableRecord | None:
        """Return the build that readers see, or None before the first has ended."""
        return self._newest(view, "current")

    def building(self, view: str) -> TableRecord | None:
        """Return the build that has not ended yet, or None."""
        return self._newest(view, "building")

    def record(self, *records: TableRecord) -> None:
        """Append records in one commit: readers see all of them or none."""
        last = {record.view: record.sequence for record in self.records()}
        numbered = []
        for record in records:
            last[record.view] = last.get(record.view, 0) + 1
            numbered.append(replace(record, sequence=last[record.view]))
        _append(self._uri, TABLES, [asdict(record) for record in numbered])

    def _newest(self, view: str, state: TableState) -> TableRecord | None:
        newest_first = reversed(self.records())
        return next((r for r in newest_first if (r.view, r.state) == (view, state)), None)


class Runs:
    """The ledger of runs; it can be rebuilt from the tables' commits.

    Example:
        >>> Runs(Layout("no/such/root")).records()
        ()
    """

    def __init__(self, layout: Layout) -> None:
        self._uri = layout.runs()

    def records(self, view: str | None = None) -> tuple[RunRecord, ...]:
        """Return the last word on each run, oldest run first; of one view if given."""
        rows = [row for row in _read(self._uri) if view in (None, row["view"])]
        rows.sort(key=lambda row: (row["started_at"], row["run_id"], row["status"] != "running"))
        return tuple({row["run_id"]: _run(row) for row in rows}.values())

    def record(self, *records: RunRecord) -> None:
        """Append records of runs in one commit."""
        _append(self._uri, RUNS, [_flat(record) for record in records])


class Files:
    """The ledger of source files, by which a changed file is noticed.

    Example:
        >>> Files(Layout("no/such/root")).records("t1")
        ()
    """

    def __init__(self, layout: Layout) -> None:
        self._uri = layout.files()

    def records(self, table_id: str) -> tuple[FileRecord, ...]:
        """Return the files that a build has read, by path."""
        rows = (row for row in _read(self._uri) if row["table_id"] == table_id)
        return tuple(FileRecord(**row) for row in sorted(rows, key=lambda row: str(row["path"])))

    def record(self, records: Iterable[FileRecord]) -> None:
        """Append files that a run has read; nothing happens without any."""
        if rows := [asdict(record) for record in records]:
            _append(self._uri, FILES, rows)


def _builds(table: DeltaTable) -> tuple[TableRecord, ...]:
    rows = sorted(read_records(table), key=lambda row: (row["view"], row["sequence"]))
    newest = {(row["view"], row["table_id"]): TableRecord(**row) for row in rows}
    return tuple(sorted(newest.values(), key=lambda record: (record.view, record.sequence)))


def _flat(record: RunRecord) -> dict[str, object]:
    row = asdict(record)
    return {**row, **row.pop("outcome")}


def _run(row: Mapping[str, Any]) -> RunRecord:
    names = Outcome.__dataclass_fields__
    # A record of an older release lacks what is counted since.
    outcome = {name: row[name] for name in names if row.get(name) is not None}
    rest = {name: value for name, value in row.items() if name not in names}
    return RunRecord(outcome=Outcome(**outcome), **rest)


def _read(uri: str) -> list[dict[str, Any]]:  # Any: the table's schema has the types
    return read_records(open_table(uri)) if is_table(uri) else []


def _append(uri: str, schema: pa.Schema, rows: list[dict[str, object]]) -> None:
    if not is_table(uri):
        _create(uri, schema)
    data = pa.Table.from_pylist(rows, schema=schema)
    for attempt in range(_ATTEMPTS):
        try:
            # Merged, for the ledger of an older release may lack columns.
            write_deltalake(uri, data, mode="append", schema_mode="merge")
            return
        except CommitFailedError:  # nothing was written: another process created the table now
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(random.uniform(0.01, 0.1))


def _create(uri: str, schema: pa.Schema) -> None:
    try:
        DeltaTable.create(uri, schema, mode="ignore")
    except DeltaError:  # another process may have been quicker, which is as good
        if not is_table(uri):
            raise
