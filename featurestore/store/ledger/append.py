"""Read a ledger's table and append to it, from several processes at once."""

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import CommitFailedError, DeltaError

from featurestore.quoting import delta_text
from featurestore.store.delta.log import is_table
from featurestore.store.delta.records import read_records
from featurestore.store.delta.snapshot import open_table
from featurestore.store.failures import storage_errors

# Each run makes two commits, and each opening of a ledger lists them. Nobody reads old versions.
PROPERTIES: dict[str, str | None] = {"delta.logRetentionDuration": "interval 1 days"}
_ATTEMPTS = 10
# PERF: after 400 runs, a ledger is read in 12 ms instead of 480.
_MOST_FILES = 30


def read(
    uri: str, predicate: str | None = None, columns: Sequence[str] | None = None
) -> list[dict[str, Any]]:  # Any: the table's schema has the types
    """Return the records of a ledger; none if it has no table yet.

    Args:
        uri: The table's address.
        predicate: A SQL condition on the records; None for all.
        columns: The columns to read; all by default.

    Example:
        >>> read("no/such/ledger")
        []
    """
    return read_records(open_table(uri), columns, predicate) if is_table(uri) else []


def last_number(table: DeltaTable, column: str) -> int:
    """Return the greatest number in a column of a ledger; 0 without records.

    A ledger of an older release may lack the column.

    Args:
        table: The open ledger.
        column: The column, with integers.

    Raises:
        TableError: The ledger is damaged.
    """
    if column not in {field.name for field in table.schema().fields}:
        return 0
    # PERF: 0.09 s of 60,000 records; all columns take 0.18.
    rows = read_records(table, columns=[column])
    return max((row[column] or 0 for row in rows), default=0)


def append(
    uri: str, schema: pa.Schema, rows: Sequence[Mapping[str, object]], number: str | None = None
) -> None:
    """Append records in one commit; create the table if there is none.

    Args:
        uri: The table's address.
        schema: The columns of a new table.
        rows: The records.
        number: The column that gets the next numbers, in the order of the records; None for none.
            Two processes that append at the same time may take the same number.

    Raises:
        StorageError: The table cannot be written.
        TableError: The table is damaged.
    """
    with storage_errors(f"write the ledger {uri}", uri):
        if not is_table(uri):
            _create(uri, schema)
        table = open_table(uri)  # once: each opening lists the log
        first = 0 if number is None else last_number(table, number) + 1
        numbers = [{} if number is None else {number: first + i} for i in range(len(rows))]
        records = [{**row, **own} for row, own in zip(rows, numbers, strict=True)]
        _append(table, pa.Table.from_pylist(records, schema=schema))
    join_files(table)


def delete(uri: str, condition: str) -> None:
    """Remove records in one commit, beside other processes that append.

    Args:
        uri: The table's address. Nothing happens if there is no table.
        condition: A SQL condition on the records to remove.

    Raises:
        StorageError: The table cannot be written.
    """
    if is_table(uri):
        _clean_up(uri, lambda table: table.delete(condition))


def substitute(
    uri: str, schema: pa.Schema, rows: Sequence[Mapping[str, object]], condition: str
) -> None:
    """Put records in the place of others in one commit, beside other processes that append.

    Args:
        uri: The table's address.
        schema: The columns of the records.
        rows: The new records, which fulfil the condition too.
        condition: A SQL condition on the records to replace. It is never null.

    Raises:
        StorageError: The table cannot be written.
    """
    data = pa.Table.from_pylist([dict(row) for row in rows], schema=schema)

    def overwrite(table: DeltaTable) -> None:
        write_deltalake(table, data, mode="overwrite", predicate=condition, schema_mode="merge")

    _clean_up(uri, overwrite)


def _clean_up(uri: str, change: Callable[[DeltaTable], object]) -> None:
    with storage_errors(f"clean up the ledger {uri}", uri):
        for attempt in range(_ATTEMPTS):
            try:
                change(open_table(uri))
                return
            except CommitFailedError:  # another process has appended
                if attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(random.uniform(0.01, 0.1))


def set_properties(uri: str) -> None:
    """Give a ledger of an older release the properties of a new one.

    Raises:
        StorageError: The table cannot be written.
    """
    with storage_errors(f"clean up the ledger {uri}", uri):
        table = open_table(uri)
        if not PROPERTIES.items() <= table.metadata().configuration.items():
            table.alter.set_table_properties(
                {name: value for name, value in PROPERTIES.items() if value is not None}
            )


def text_list(values: Iterable[str]) -> str:
    """Return texts as a list of SQL literals.

    Example:
        >>> text_list(["r1", "it's"])
        "('r1', 'it''s')"
    """
    return f"({', '.join(delta_text(value) for value in values)})"


def _append(table: DeltaTable, data: pa.Table) -> None:
    for attempt in range(_ATTEMPTS):
        try:
            # Schemas are merged, because the ledger of an older release may lack columns.
            write_deltalake(table, data, mode="append", schema_mode="merge")
            return
        except CommitFailedError:  # nothing was written: another process changed the columns
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(random.uniform(0.01, 0.1))
            table.update_incremental()


def join_files(table: DeltaTable) -> None:
    """Join the files of many commits into one, so that reading does not slow down with each run.

    Another process may do the same at the same time. Then one of them changes nothing.

    Args:
        table: The open table, at its newest version or an older one.
    """
    if len(table.file_uris()) <= _MOST_FILES:
        return
    try:
        table.optimize.compact()
        table.create_checkpoint()
        table.cleanup_metadata()
    except (DeltaError, OSError):  # the next append tries again
        return


def _create(uri: str, schema: pa.Schema) -> None:
    try:
        # DeltaTable.create would write the address, which may have a secret, to the table's log.
        write_deltalake(uri, schema.empty_table(), mode="ignore", configuration=PROPERTIES)
    except DeltaError:  # another process may have created the table first
        if not is_table(uri):
            raise
