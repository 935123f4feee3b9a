"""Readers of sources: the new rows as a stream, or all present rows as a table."""

from dataclasses import KW_ONLY, dataclass
from functools import singledispatch

from pyspark.sql import DataFrame, SparkSession

from featurestore.definitions.model.source import (
    DeltaSource,
    FileSource,
    KafkaSource,
    StoredSource,
)
from featurestore.engines.files.plan import UsedColumns
from featurestore.engines.spark.source.catalog import quoted, require_catalog_table
from featurestore.engines.spark.source.file_rows import read_files
from featurestore.engines.spark.source.messages import read_messages, read_messages_stream
from featurestore.errors import SourceError
from featurestore.store.delta.log import is_table
from featurestore.store.paths import catalog_table, table_folder_problem
from featurestore.store.source_files import FilePath

UNLIMITED = 2**31 - 1


@dataclass(frozen=True)
class Reading:
    """The options of reading a source as a stream.

    Args:
        uri: The source's address.
        files_per_batch: The most new files in one batch; None reads all new files in one batch.
        starts_at: The first version to read of a Delta source, or the first offsets of a
            Kafka topic, as JSON; None reads all.
    """

    uri: str
    _: KW_ONLY
    files_per_batch: int | None = None
    starts_at: int | str | None = None


@singledispatch
def require_present(source: StoredSource, uri: str, spark: SparkSession) -> None:
    """Check that the source exists; it may have no rows yet.

    Of a Kafka topic nothing is checked here: the broker answers when the stream asks for offsets.

    Args:
        source: The source.
        uri: Its address.
        spark: A session, which knows the tables of its catalog.

    Raises:
        SourceError: There is no Delta table, or no folder, at its address; or the files are those
            of a table.
    """


@require_present.register
def _(source: DeltaSource, uri: str, spark: SparkSession) -> None:
    if name := catalog_table(uri):
        require_catalog_table(spark, name, _call(source), change_feed=source.change_feed)
        return
    if problem := table_folder_problem(uri):
        raise SourceError(_call(source), problem, "Rename the folder, or move the table.")
    if not is_table(uri):
        raise _absent(source, "Delta table", uri)


@require_present.register
def _(source: FileSource, uri: str, spark: SparkSession) -> None:
    _require_plain_files(source, uri)
    if not FilePath(uri).exists:
        raise _absent(source, "file or folder", uri)


def _absent(source: StoredSource, kind: str, uri: str) -> SourceError:
    return SourceError(
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
    if reading.starts_at is not None:
        reader = reader.option("startingVersion", str(reading.starts_at))
    name = catalog_table(reading.uri)
    return reader.table(quoted(name)) if name else reader.load(reading.uri)


@read_stream.register
def _(source: KafkaSource, spark: SparkSession, reading: Reading) -> DataFrame:
    return read_messages_stream(source, spark, str(reading.starts_at or "earliest"))


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
    name = catalog_table(uri)
    return spark.read.table(quoted(name)) if name else spark.read.format("delta").load(uri)


@read_now.register
def _(
    source: KafkaSource,
    spark: SparkSession,
    uri: str,
    columns: UsedColumns | None = None,
) -> DataFrame:
    return read_messages(source, spark)


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
