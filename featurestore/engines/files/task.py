"""The parameters of reading files, as plain data: Spark sends them to its tasks."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field

import pyarrow as pa

from featurestore.definitions.model.source import FileFormat
from featurestore.definitions.model.types import Field
from featurestore.engines.files.problem import FileProblemError
from featurestore.errors import nearest

SOURCE_FILE = "_featurestore_source_file"
"""The column with the file of each row, for messages."""
UNREADABLE = "_featurestore_unreadable"
"""The column that maps an undeclared column to the reason why it has no value in the row."""


@dataclass(frozen=True)
class FileTask:
    """The parameters of reading a source's files.

    Args:
        call: The operation for messages, with the source's name.
        format: The files' format.
        fields: The declared columns to read; none of a Parquet source without a schema.
        schema: The Arrow schema of the columns in the result.
        optional: The columns that a file may lack.
        lazy: The columns whose problems are reasons in the rows, and stop nothing: no schema and
            no view declares them, so that a query may not use them; or rows are only looked at.
        unreadable: The columns that have no value in any file, with the reason.
        delimiter: The character between a CSV file's values.
        encoding: The encoding of a text file.
        null_values: The texts that mean null in a CSV file.
    """

    call: str
    _: KW_ONLY
    format: FileFormat
    fields: tuple[Field, ...]
    schema: pa.Schema
    optional: tuple[str, ...] = ()
    lazy: tuple[str, ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()
    delimiter: str = ","
    encoding: str = "utf-8"
    null_values: tuple[str, ...] = ("",)


@dataclass(frozen=True)
class FileRows:
    """Some rows of a file.

    Args:
        count: The number of rows. There may be rows without any column to read.
        columns: The columns that the file has, by name.
        reasons: Columns without a value in these rows, and why.
    """

    count: int
    columns: Mapping[str, pa.Array]
    reasons: Mapping[str, FileProblemError] = field(default_factory=dict)


@dataclass(frozen=True)
class FileUnit:
    """A file, or a part of a large one, to read.

    Args:
        address: The file's path or URL.
        name: Its path below the source's folder.
        part: The number of the part, from 0.
        parts: The number of parts.
    """

    address: str
    name: str
    part: int = 0
    parts: int = 1


def require_columns(names: Collection[str], task: FileTask) -> dict[str, FileProblemError]:
    """Check that a file has the declared columns that are not optional.

    Args:
        names: The file's columns.
        task: The declared columns.

    Returns:
        The problems of lazy columns that the file lacks.

    Raises:
        FileProblemError: The file lacks another column.
    """
    absent = {
        column.name: lacks_column(column.name, names)
        for column in task.fields
        if column.name not in names and column.name not in task.optional
    }
    for name, problem in absent.items():
        if name not in task.lazy:
            raise problem
    return absent


def converted(
    fields: Iterable[Field], convert: Callable[[Field], pa.Array], count: int, task: FileTask
) -> FileRows:
    """Return columns of a file in their declared types.

    Args:
        fields: The columns.
        convert: Returns a column in its declared type.
        count: The number of rows.
        task: Names the lazy columns.

    Raises:
        FileProblemError: A column that is not lazy has a value that its type does not hold.
    """
    columns: dict[str, pa.Array] = {}
    reasons: dict[str, FileProblemError] = {}
    for each in fields:
        try:
            columns[each.name] = convert(each)
        except FileProblemError as problem:
            if each.name not in task.lazy:
                raise
            reasons[each.name] = problem
    return FileRows(count, columns, reasons)


def lacks_column(name: str, names: Collection[str]) -> FileProblemError:
    """Return the problem of a file without a declared column.

    Args:
        name: The declared column.
        names: The file's columns.

    Example:
        >>> lacks_column("amount", ["amuont"]).found
        "it has no column 'amount' (Did you mean 'amuont'?)"
    """
    same = next((each for each in names if each.strip().lower() == name.lower()), None)
    if same is not None:
        return FileProblemError(
            f"it has no column {name!r}, but {same!r}",
            f"Case and blanks count: declare the column as {same!r}, or rename it in the file.",
        )
    return FileProblemError(
        f"it has no column {name!r} ({nearest(name, names).rstrip('.')})",
        f"Add the column {name!r} to the file, or rename the one that has its values. Or, if "
        f"files may lack it, declare optional_columns=({name!r},) on the source: it is null in "
        "their rows.",
    )
