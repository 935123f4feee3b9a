"""A spine from a path: a file of rows, or the folder of a Delta table."""

import difflib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import pyarrow as pa
import pyarrow.feather as pafeather
import pyarrow.ipc as paipc
import pyarrow.parquet as pq

from featurestore.client.arguments import checked_arguments
from featurestore.client.arrow_rows import cast_rows
from featurestore.client.spines.csv_file import read_csv
from featurestore.client.spines.json_file import read_json
from featurestore.client.spines.text_values import marked
from featurestore.engines.spine_times import RowName, row_name
from featurestore.errors import RequestError, SpineError, TableError
from featurestore.store.delta.commit_files import source_damage
from featurestore.store.delta.log import is_table
from featurestore.store.delta.snapshot import open_table
from featurestore.store.paths import is_local, local_path


def table_of_path(address: str | Path) -> tuple[pa.Table, RowName]:
    """Return the rows of a file or a Delta table, and a function that names a row for errors.

    Args:
        address: A path, or the URL of a Delta table.

    Raises:
        SpineError: There is no such file, its suffix is unknown, or it cannot be read.
        TableError: The Delta table cannot be opened.
    """
    if "://" in str(address) and not is_local(str(address)):
        return _read_url(str(address)), row_name
    path = Path(local_path(str(address)))
    call = f"read the spine {path}"
    with _read_errors(call):
        if path.is_dir():
            return _read_folder(path, call), row_name
        if not path.exists():
            raise SpineError(call, "there is no such file", _near(path))
        return _reader_of(path, call)(path, call)


@checked_arguments
def csv_spine(path: str | Path, *, delimiter: str) -> pa.Table:
    """Return the rows of a CSV file whose values are not separated by commas, as a spine.

    In a call for features its columns get their declared types, as those of a file's path do.

    Args:
        path: The file, in UTF-8, with a line of names first.
        delimiter: The character between values, such as ``";"``.

    Raises:
        SpineError: There is no such file, or it is no CSV.
        RequestError: The delimiter is not one character.

    Example:
        ``store.get_latest_features("fraud_v1", fs.csv_spine("rows.csv", delimiter=";"))``
    """
    call = f"read the spine {path}"
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n':
        raise RequestError(call, f"delimiter is {delimiter!r}", "Pass one character, such as ';'.")
    with _read_errors(call):
        if not Path(path).is_file():
            raise SpineError(call, "there is no such file", _near(Path(path)))
        table, _ = read_csv(Path(path), call, delimiter)
    return marked(table, "csv")


@contextmanager
def _read_errors(call: str) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException, UnicodeError) as error:
        problem = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SpineError(
            call, f"the file cannot be read: {problem}", "Check the file, or write it again."
        ) from None


_Reader = Callable[[Path, str], tuple[pa.Table, RowName]]


def _csv(path: Path, call: str) -> tuple[pa.Table, RowName]:
    table, name = read_csv(path, call)
    return marked(table, "csv"), name


def _json(path: Path, call: str) -> tuple[pa.Table, RowName]:
    table, name = read_json(path, call)
    return marked(table, "json"), name


def _parquet(path: Path, call: str) -> tuple[pa.Table, RowName]:
    # By path, Arrow would add columns for folders such as year=2026, and opens no file whose name
    # is no UTF-8. Spark's old times of 96 bits do not fit nanoseconds.
    with path.open("rb") as data:
        file = pq.ParquetFile(
            data, coerce_int96_timestamp_unit="us", page_checksum_verification=True
        )
        return file.read(), row_name


def _arrow(path: Path, call: str) -> tuple[pa.Table, RowName]:
    with path.open("rb") as data:
        try:
            return pafeather.read_table(data), row_name
        except pa.ArrowInvalid:
            data.seek(0)
            return paipc.open_stream(data).read_all(), row_name


_READERS: dict[str, _Reader] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".json": _json,
    ".jsonl": _json,
    ".ndjson": _json,
    ".arrow": _arrow,
    ".feather": _arrow,
}
SUFFIXES = tuple(_READERS)
"""The suffixes of the files that can be read, in small letters."""


def _reader_of(path: Path, call: str) -> _Reader:
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        kind = f"that end in {path.suffix!r}" if path.suffix else "without a suffix"
        raise SpineError(
            call,
            f"files {kind} cannot be read",
            f"Use {', '.join(_READERS)}, or the folder of a Delta table.",
        )
    return reader


def _read_folder(path: Path, call: str) -> pa.Table:
    if not is_table(str(path)):
        raise SpineError(
            call,
            "the folder is no Delta table",
            "Pass the path of a file, or of a Delta table's folder.",
        )
    return _read_delta(str(path))


def _read_url(url: str) -> pa.Table:
    suffix = PurePosixPath(url).suffix.lower()
    if suffix in SUFFIXES:
        raise SpineError(
            f"read the spine {url}",
            "at URLs, only Delta tables are read, not files",
            "Copy the file to this machine, or read it with Arrow, pandas or Polars and pass the "
            "frame.",
        )
    return _read_delta(url)


def _read_delta(uri: str) -> pa.Table:
    if damage := source_damage(uri):
        fix = "Restore the file from a copy. Or remove it, and write its rows again."
        raise SpineError(f"read the spine {uri}", damage, fix)
    try:
        table = open_table(uri)
        # delta-rs scans texts as views, of which Arrow sorts and takes none.
        return cast_rows(pa.table(table.scan().read_all()), pa.schema(table.schema().to_arrow()))
    except TableError:
        raise
    except Exception as error:  # noqa: BLE001 - of a damaged file, delta-rs raises a bare Exception
        problem = f"its files cannot be read: {str(error).splitlines()[0]}"
        raise SpineError(
            f"read the spine {uri}", problem, "Check the table, or restore a version of it."
        ) from None


def _near(path: Path) -> str:
    """Return what to do about a path that does not exist: the nearest names in its folder."""
    names = [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []
    close = difflib.get_close_matches(path.name, names)
    if not close:
        return "Check the path."
    return f"Did you mean {' or '.join(repr(str(path.with_name(name))) for name in close)}?"
