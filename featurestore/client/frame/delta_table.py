"""The rows of a frame as a Delta table: the one that Spark would write, without Spark."""

import re
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
from deltalake import write_deltalake
from deltalake.exceptions import DeltaError

from featurestore.client.frame.library_types import delta_typed
from featurestore.errors import RequestError, TableError
from featurestore.store.delta.log import is_table
from featurestore.store.failures import failure_text, storage_errors
from featurestore.store.paths import is_local, local_path, table_folder_problem

_MARKS = frozenset(" ,;{}()\n\t=")
"""No name in a Delta table has one of them."""
_LACKS = re.compile(r"unsupported table features|not yet supported|append-only", re.IGNORECASE)
"""What delta-rs says of tables whose rows it does not replace."""


def write_table(table: pa.Table, path: str, *, overwrite: bool) -> int:
    """Write rows as a Delta table, in one commit, and return their number.

    Args:
        table: The rows.
        path: The table's folder or URL.
        overwrite: Whether to replace the rows and the columns of a table that is there.

    Raises:
        RequestError: There is a table, and it is not to be replaced, or a Delta table cannot hold
            a column.
        StorageError: The disk or the object store refuses it.
        TableError: delta-rs does not replace the rows of this table.
    """
    call = f"write({path!r})"
    rows = _plain(delta_typed(table, call))
    _require_names(call, rows.schema)
    if problem := table_folder_problem(path):
        raise RequestError(call, problem, "Write to a folder with another name.")
    address = local_path(path) if is_local(path) else path
    if not overwrite and is_table(address):
        fix = "Write to another folder, or pass overwrite=True to replace its rows."
        raise RequestError(call, "the folder has a table already", fix)
    with storage_errors(call, address):
        if is_local(path):
            Path(address).mkdir(parents=True, exist_ok=True)
        try:
            _write(rows, address, overwrite=overwrite)
        except DeltaError as error:
            if not _LACKS.search(str(error)):
                raise
            fix = "Write to another folder, or replace the rows with Spark: frame.to_spark()."
            raise TableError(call, failure_text(error), fix) from error
    return int(rows.num_rows)


def _write(rows: pa.Table, address: str, *, overwrite: bool) -> None:
    if overwrite:
        # As with Spark, the new rows have no partitions, whatever the old ones had.
        write_deltalake(address, rows, mode="overwrite", schema_mode="overwrite", partition_by=[])
    else:
        write_deltalake(address, rows, mode="error")


def _plain(rows: pa.Table) -> pa.Table:
    """Return rows whose columns may be null, as Spark writes them, and without notes of Arrow."""
    fields = [pa.field(each.name, each.type) for each in rows.schema]
    return pa.Table.from_arrays(rows.columns, schema=pa.schema(fields))


def _require_names(call: str, fields: Iterable[pa.Field], inside: str = "") -> None:
    """Check the names of columns, and of the parts of structs, by the rules that Spark has."""
    taken = set()
    for each in fields:
        name = f"{inside}{each.name}"
        if marks := sorted(_MARKS.intersection(each.name)):
            found = (
                f"the name of column {name!r} has {marks[0]!r}, which a Delta table cannot hold"
            )
            raise RequestError(call, found, "Rename the column.")
        if each.name.lower() in taken:
            found = f"there are two columns {name!r}, which differ at most in case"
            raise RequestError(call, found, "Rename one of them, or leave it out.")
        taken.add(each.name.lower())
        parts = (each.type.field(number) for number in range(each.type.num_fields))
        _require_names(call, parts, f"{name}.")
