"""The quarantine of a build: the rows that its table does not have, each with reasons.

It is a Delta table beside the feature table. Its rows belong to batches. Rows of a batch that the
feature table does not have are not in quarantine: the batch failed, and its rows are read again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass
from datetime import datetime
from itertools import compress
from typing import Any, Literal

import pyarrow as pa
from deltalake.table import TableMerger

from featurestore.quoting import delta_text
from featurestore.store.delta.log import is_table, last_transaction
from featurestore.store.delta.records import read_records, read_table
from featurestore.store.delta.snapshot import open_table
from featurestore.store.failures import storage_errors
from featurestore.store.layout import Layout
from featurestore.store.ledger.append import join_files
from featurestore.store.ledger.tables import TableRecord
from featurestore.times import from_micros, to_micros

ID, RUN, REASONS, ROW = "quarantine_id", "run_id", "reasons", "row"
GENERATION, BATCH = "generation", "batch_id"
QUARANTINED_AT, RELEASED_AT, RELEASE = "quarantined_at", "released_at", "release_id"
NULL_KEY, NULL_TIME, TIME_OUT_OF_RANGE = "null_key", "null_time", "time_out_of_range"
UNREADABLE_MESSAGE, MESSAGE = "unreadable_message", "message"
OWN_REASONS = (NULL_KEY, NULL_TIME, TIME_OUT_OF_RANGE, UNREADABLE_MESSAGE)
"""The reasons that need no expectations. A time is in range from year 1 to year 9999."""

QUARANTINE_SCHEMA = "featurestore.quarantine/1"


@dataclass(frozen=True)
class QuarantineNotes:
    """What a batch notes in the commit of its bad rows.

    Args:
        run_id: The run.
        generation: The generation of the stream's checkpoint.
        batch_id: The stream's number of the batch.
        rows: The number of rows.
    """

    run_id: str
    _: KW_ONLY
    generation: int
    batch_id: int
    rows: int

    def to_json(self) -> str:
        """Return the text to store in the commit's ``userMetadata``."""
        return json.dumps({"schema": QUARANTINE_SCHEMA, **asdict(self)}, sort_keys=True)


State = Literal["quarantined", "refused", "released"]


@dataclass(frozen=True)
class QuarantinedRow:
    """A row that a view's table does not have.

    Args:
        id: Its id.
        reasons: The names of the checks that it failed.
        state: ``quarantined``; ``refused`` if its whole batch was not stored, so that the next run
            reads it again; ``released`` if the table has it by now.
        run_id: The run that put it into the quarantine.
        quarantined_at: When that run began.
        released_at: When it was released; None if it was not.
        values: Its values, by the names of the stored columns.
        message: A message of Kafka that cannot be read, as JSON with its topic, partition, offset,
            value, and what is wrong; None for other rows.
    """

    id: str
    _: KW_ONLY
    reasons: tuple[str, ...]
    state: State
    run_id: str
    quarantined_at: datetime
    released_at: datetime | None
    values: Mapping[str, Any]
    message: str | None = None


def read_quarantine(layout: Layout, record: TableRecord) -> list[QuarantinedRow]:
    """Return the rows in the quarantine of a build, in the order of their runs and ids.

    Args:
        layout: The addresses of the tables.
        record: The build.
    """
    uri = layout.quarantine(record.view, record.table_id)
    if not is_table(uri):
        return []
    done = _stored_batches(layout, record)
    table = read_table(open_table(uri))
    values = _values(pa.Table.from_struct_array(table[ROW]))
    records = _values(table.drop_columns([ROW]))
    rows = [_quarantined(*row, done) for row in zip(records, values, strict=True)]
    return sorted(rows, key=lambda row: (row.quarantined_at, row.run_id, row.id))


def count_by_batch(uri: str, predicate: str | None = None) -> dict[tuple[int, int], int]:
    """Return the number of rows of each batch, by its generation and its number.

    Args:
        uri: The address of the quarantine. Without a table there are none.
        predicate: A SQL condition on the rows; None for all, with those that were released.

    Raises:
        TableError: The quarantine is damaged.

    Example:
        >>> count_by_batch("no/such/table")
        {}
    """
    if not is_table(uri):
        return {}
    rows = read_table(open_table(uri), [GENERATION, BATCH], predicate)
    counts = rows.group_by([GENERATION, BATCH]).aggregate([([], "count_all")])
    keys = zip(counts[GENERATION].to_pylist(), counts[BATCH].to_pylist(), strict=True)
    return dict(zip(keys, counts["count_all"].to_pylist(), strict=True))


def count_quarantined(layout: Layout, record: TableRecord) -> int:
    """Return how many rows of stored batches are in the quarantine of a build, and not released.

    Args:
        layout: The addresses of the tables.
        record: The build.

    Raises:
        TableError: The quarantine or the feature table is damaged.
    """
    uri = layout.quarantine(record.view, record.table_id)
    counts = count_by_batch(uri, f"{RELEASED_AT} IS NULL")
    done = _stored_batches(layout, record) if counts else {}
    return sum(
        rows for (generation, batch), rows in counts.items() if batch <= done.get(generation, -1)
    )


def _quarantined(
    row: Mapping[str, Any], values: Mapping[str, Any], done: Mapping[int, int]
) -> QuarantinedRow:
    stored = row[BATCH] <= done.get(row[GENERATION], -1)
    kept: State = "quarantined" if stored else "refused"
    return QuarantinedRow(
        row[ID],
        reasons=tuple(row[REASONS]),
        state=kept if row[RELEASED_AT] is None else "released",
        run_id=row[RUN],
        quarantined_at=row[QUARANTINED_AT],
        released_at=row[RELEASED_AT],
        values=values,
        message=row.get(MESSAGE),
    )


def _values(rows: pa.Table) -> list[dict[str, Any]]:
    """Return rows as dicts; a time outside of the years 1 to 9999 as text."""
    columns = {
        name: [_moment(each) for each in rows[name].cast(pa.int64()).to_pylist()]
        if pa.types.is_timestamp(rows.schema.field(name).type)
        else rows[name].to_pylist()
        for name in rows.column_names
    }
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _moment(micros: int | None) -> datetime | str | None:
    try:
        return None if micros is None else from_micros(micros)
    except OverflowError:
        return f"{micros} microseconds after 1970"


def drop_unfinished(layout: Layout, record: TableRecord) -> None:
    """Remove the rows of a batch that a crashed run put into quarantine and did not store.

    The next run reads the batch again, perhaps with other rows. The files of many runs are
    joined. The caller holds the view's lock.

    Args:
        layout: The addresses of the tables.
        record: The build.
    """
    uri = layout.quarantine(record.view, record.table_id)
    if not is_table(uri):
        return
    for generation, done in _stored_batches(layout, record).items():
        remove_rows(uri, f"{GENERATION} = {generation} AND {BATCH} > {done}")
    join_files(open_table(uri))


def remove_rows(uri: str, predicate: str) -> None:
    """Remove rows of a quarantine, if there are any.

    Args:
        uri: The address of the quarantine.
        predicate: A SQL condition on the rows.
    """
    if is_table(uri) and read_records(open_table(uri), [BATCH], predicate):
        with storage_errors(f"write the quarantine {uri}", uri):
            open_table(uri).delete(predicate)


def remove_ids(uri: str, ids: pa.ChunkedArray) -> None:
    """Remove rows of a quarantine by their ids.

    Args:
        uri: The address of the quarantine.
        ids: The ids.
    """
    if len(ids):
        with storage_errors(f"write the quarantine {uri}", uri):
            _chosen(uri, ids).when_matched_delete().execute()


def _stored_batches(layout: Layout, record: TableRecord) -> dict[int, int]:
    """Return the newest stored batch of each generation of a build's checkpoint; -1 for none."""
    table = layout.features(record.view, record.table_id)
    done = {
        generation: last_transaction(table, f"{record.table_id}/{generation}")
        for generation in range(record.generation + 1)
    }
    return {each: -1 if batch is None else batch for each, batch in done.items()}


@dataclass(frozen=True)
class Candidates:
    """Rows in quarantine that may be released.

    Args:
        ids: Their ids.
        reasons: The names of the checks that each failed.
        table: The rows, with the stored columns.
    """

    ids: tuple[str, ...]
    reasons: tuple[tuple[str, ...], ...]
    table: pa.Table

    def only(self, chosen: Sequence[bool]) -> "Candidates":
        """Return the chosen rows."""
        return Candidates(
            tuple(compress(self.ids, chosen)),
            tuple(compress(self.reasons, chosen)),
            self.table.filter(pa.array(chosen, pa.bool_())),
        )


def releasable_rows(layout: Layout, record: TableRecord) -> Candidates:
    """Return the rows in the quarantine of a build whose batches are stored.

    Args:
        layout: The addresses of the tables.
        record: The build.
    """
    uri = layout.quarantine(record.view, record.table_id)
    if not is_table(uri):
        return Candidates((), (), pa.table({}))
    table = open_table(uri)
    rows = read_table(table, predicate=f"{RELEASE} IS NULL")
    # A scan gives views of texts, which Arrow cannot filter.
    rows = rows.cast(pa.schema(table.schema().to_arrow()))
    done = _stored_batches(layout, record)
    batches = zip(rows[GENERATION].to_pylist(), rows[BATCH].to_pylist(), strict=True)
    stored = [batch <= done.get(generation, -1) for generation, batch in batches]
    found = Candidates(
        tuple(rows[ID].to_pylist()),
        tuple(map(tuple, rows[REASONS].to_pylist())),
        pa.Table.from_struct_array(rows[ROW]),
    )
    return found.only(stored)


def mark_rows(uri: str, ids: Sequence[str], release: str) -> None:
    """Mark rows for a release, before they are stored."""
    with storage_errors(f"write the quarantine {uri}", uri):
        chosen = _chosen(uri, pa.chunked_array([pa.array(ids, pa.string())]))
        chosen.when_matched_update({RELEASE: delta_text(release)}).execute()


def _chosen(uri: str, ids: pa.ChunkedArray) -> TableMerger:
    return open_table(uri).merge(
        pa.table({ID: ids}),
        f"rows.{ID} = chosen.{ID}",
        source_alias="chosen",
        target_alias="rows",
    )


def mark_released(uri: str, release: str, at: datetime) -> None:
    """Record that the rows of a release are in the feature table."""
    _update(uri, release, {RELEASED_AT: f"to_timestamp_micros({to_micros(at)})"})


def unmark_rows(uri: str, release: str) -> None:
    """Remove the marks of a release that has stored nothing."""
    _update(uri, release, {RELEASE: "NULL"})


def pending_releases(uri: str) -> list[str]:
    """Return the releases whose rows are marked, and of which no end is recorded."""
    if not is_table(uri):
        return []
    predicate = f"{RELEASE} IS NOT NULL AND {RELEASED_AT} IS NULL"
    rows = read_records(open_table(uri), [RELEASE], predicate)
    return sorted({row[RELEASE] for row in rows})


def _update(uri: str, release: str, changes: dict[str, str]) -> None:
    with storage_errors(f"write the quarantine {uri}", uri):
        open_table(uri).update(changes, predicate=f"{RELEASE} = {delta_text(release)}")
