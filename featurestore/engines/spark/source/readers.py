"""Readers of sources: the new rows as a stream, or all present rows as a table."""

from dataclasses import KW_ONLY, dataclass
from functools import singledispatch

from pyspark.sql import DataFrame, SparkSession

from featurestore.definitions.model.source import DeltaSource, FileSource, StoredSource
from featurestore.engines.files.plan import UsedColumns
from featurestore.engines.spark.source.file_rows import read_files
from featurestore.errors import SourceError
from featurestore.store.delta.log import is_table
from featurestore.store.paths import table_folder_problem
from featurestore.store.source_files import FilePath

UNLIMITED = 2**31 - 1


@dataclass(frozen=True)
class Reading:
    """The options of reading a source as a stream.

    Args:
        uri: The source's address.
        files_per_batch: The most new files in one batch; None reads all new files in one batch.
        starting_version: The first version to read of a Delta source; None reads the whole table.
    """

    uri: str
    _: KW_ONLY
    files_per_batch: int | None = None
    starting_version: int | None = None


def require_present(source: StoredSource, uri: str) -> None:
    """Check that the source exists; it may have no rows yet.

    Raises:
        SourceError: There is no Delta table, or no folder, at its address; or the files are those
            of a table.
    """
    kind = "Delta table"
    if isinstance(source, DeltaSource) and (problem := table_folder_problem(uri)):
        raise SourceError(_call(source), problem, "Rename the folder, or move the table.")
    exists = is_table(uri) if isinstance(source, DeltaSource) else FilePath(uri).exists
    if isinstance(source, FileSource):
        kind = "file or folder"
        _require_plain_files(source, uri)
    if not exists:
        raise SourceError(
            _call(source),
            f"there is no {kind} at {uri}",
            "Check path= (it is relative to the project's folder), or create the data first.",
        )


def _require_plain_files(source: FileSource, uri: str) -> None:
    table = FilePath(uri).table_format
    if table is None:
        return
    raise SourceError(
        _call(source),
        f"{uri} is the folder of a {table} table: its files have rows that were replaced or "
        "deleted since",
        "Use a DeltaSource with the table's folder."
        if table == "Delta"
        else "Copy the table's rows to plain files or to a Delta table, and read these.",
    )


@singledispatch
def read_stream(source: StoredSource, spark: SparkSession, reading: Reading) -> DataFrame:
    """Return the new rows of a Delta source as a stream; those of files come in batches."""
    raise TypeError(source)


@read_stream.register
def _(source: DeltaSource, spark: SparkSession, reading: Reading) -> DataFrame:
    reader = spark.readStream.format("delta").option(
        "maxFilesPerTrigger", str(reading.files_per_batch or UNLIMITED)
    )
    if source.change_feed:
        reader = reader.option("readChangeFeed", "true")
    if reading.starting_version is not None:
        reader = reader.option("startingVersion", str(reading.starting_version))
    return reader.load(reading.uri)


@singledispatch
def read_now(
    source: StoredSource,
    spark: SparkSession,
    uri: str,
    columns: UsedColumns | None = None,
) -> DataFrame:
    """Return all rows that the source has now, as a table.

    Args:
        source: The source.
        spark: A session of ours.
        uri: The source's address.
        columns: The columns that the view uses, with the fields that declare their types; None if
            its transform may use any.
    """
    raise TypeError(source)


@read_now.register
def _(
    source: DeltaSource,
    spark: SparkSession,
    uri: str,
    columns: UsedColumns | None = None,
) -> DataFrame:
    return spark.read.format("delta").load(uri)


@read_now.register
def _(
    source: FileSource,
    spark: SparkSession,
    uri: str,
    columns: UsedColumns | None = None,
) -> DataFrame:
    return read_files(source, spark, FilePath(uri).files, columns)


def _call(source: StoredSource) -> str:
    return f"read source {source.name!r} ({source.origin})"
