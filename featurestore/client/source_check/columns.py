"""The columns of a source's newest data, read without Spark: of a Delta table, or of one file."""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
from deltalake import DeltaTable

from featurestore.definitions.model.source import DeltaSource, FileSource, StoredSource, format_of
from featurestore.engines.files.parquet_rows import parquet_schema
from featurestore.engines.files.problem import FileProblemError, source_error
from featurestore.errors import SourceError
from featurestore.store.delta.process import check_process
from featurestore.store.source_files import SourceFile, folder_values, list_files


@dataclass(frozen=True)
class SourceColumns:
    """The columns of a source's newest data.

    Args:
        origin: The table or the file in which they were found.
        types: The type of each column; None for one whose values are in the names of folders.
    """

    origin: str
    types: Mapping[str, pa.DataType | None]


def has_data(source: StoredSource, uri: str) -> bool:
    """Return whether there is a table or a file at a source's local address.

    Example:
        >>> source = DeltaSource("paid", path="no/such/table", timestamp_field="at")
        >>> has_data(source, "no/such/table")
        False
    """
    try:
        if isinstance(source, DeltaSource):
            check_process()
            return bool(DeltaTable.is_deltatable(uri))
        return bool(list_files(uri))
    except (OSError, ValueError, SourceError):
        return True  # something is there that cannot be read


def table_columns(source: DeltaSource, uri: str) -> SourceColumns:
    """Return the columns of a source's table, from its log."""
    check_process()
    schema = pa.schema(DeltaTable(uri).schema().to_arrow())
    return SourceColumns(source.location, {each.name: each.type for each in schema})


def file_columns(source: FileSource, file: SourceFile) -> SourceColumns | None:
    """Return the columns of a Parquet file, from its footer; None for a text file, without types.

    Raises:
        SourceError: It is no Parquet file.
    """
    if (source.file_format or format_of(file.name)) != "parquet":
        return None
    try:
        schema = parquet_schema(file)  # as a run reads it: times of INT96 are in UTC
    except FileProblemError as problem:
        raise source_error(problem, f"read source {source.name!r}", file.address) from None
    folders: dict[str, pa.DataType | None] = dict.fromkeys(folder_values(file.name))
    return SourceColumns(file.name, folders | {each.name: each.type for each in schema})
