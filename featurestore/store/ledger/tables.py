"""The ledger of builds: the states of the builds of each view's feature table.

A record is never changed: a new record follows it. So two processes never change the same row.
Records are ordered by a sequence number for each view; their times are only for information.
"""

from dataclasses import KW_ONLY, asdict, dataclass, replace
from datetime import datetime
from typing import Literal

from deltalake import DeltaTable

from featurestore.store.delta.cache import TableCache
from featurestore.store.delta.records import check_record, read_records
from featurestore.store.layout import Layout
from featurestore.store.ledger.append import append
from featurestore.store.ledger.schemas import TABLES

_KINDS = {"view": str, "table_id": str, "fingerprint": str, "state": str, "sequence": int}

TableState = Literal["building", "repairing", "current", "retired", "removed"]


@dataclass(frozen=True)
class TableRecord:
    """The state of one build of a view's feature table.

    Args:
        view: The view's name.
        table_id: The build's id, which is also the name of its folder.
        fingerprint: The fingerprint of the table, by `table_fingerprint`.
        state: ``building`` until all batches are stored, then ``current``, then ``retired``, then
            ``removed`` once `maintain` has removed its files. A table with a repaired range is
            ``repairing`` before it is ``current``; no run goes on with one that was killed.
        generation: The generation of its stream's checkpoint; it rises when a checkpoint is lost.
        start: The earliest event time in the table; None for no bound.
        upstream: The build of the upstream view that a derived table is made of; else None.
        at: The time of this record.
        sequence: The number of the record among the view's records, from `Tables.record`.
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


class Tables:
    """The ledger of builds.

    Example:
        >>> Tables(Layout("no/such/root")).current("card_activity") is None
        True
    """

    def __init__(self, layout: Layout) -> None:
        self._uri = layout.tables()
        self._cache = TableCache(self._uri, _builds)

    def records(self) -> tuple[TableRecord, ...]:
        """Return the newest record of each build, by view and sequence."""
        return self._cache.newest() or ()

    def current(self, view: str) -> TableRecord | None:
        """Return the build that readers see, or None before the first build has ended."""
        return self._newest(view, "current")

    def building(self, view: str) -> TableRecord | None:
        """Return the build that has not ended yet, or None."""
        return self._newest(view, "building")

    def record(self, *records: TableRecord) -> None:
        """Append records in one commit, so that readers see all of them or none."""
        last = {record.view: record.sequence for record in self.records()}
        numbered = []
        for record in records:
            last[record.view] = last.get(record.view, 0) + 1
            numbered.append(replace(record, sequence=last[record.view]))
        append(self._uri, TABLES, [asdict(record) for record in numbered])

    def _newest(self, view: str, state: TableState) -> TableRecord | None:
        newest_first = reversed(self.records())
        return next((r for r in newest_first if (r.view, r.state) == (view, state)), None)


def _builds(table: DeltaTable) -> tuple[TableRecord, ...]:
    records = read_records(table)
    uri = table.table_uri.removeprefix("file://").rstrip("/")
    for row in records:
        # The folder of an empty id is the folder of all builds.
        named = {name: row.get(name) or None for name in ("view", "table_id")}
        check_record(uri, {**row, **named}, _KINDS)
    rows = sorted(records, key=lambda row: (row["view"], row["sequence"]))
    newest = {(row["view"], row["table_id"]): TableRecord(**row) for row in rows}
    return tuple(sorted(newest.values(), key=lambda record: (record.view, record.sequence)))
