"""Readers of sources: as a stream of what is new, and as the rows that lie there now."""

from dataclasses import KW_ONLY, dataclass
from functools import singledispatch

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.source import DeltaSource, FileSource, StoredSource
from featurestore.definitions.model.types import Timestamp
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.source.timestamps import TimeColumn, moment, quoted
from featurestore.engines.spark.types import fits, spark_type
from featurestore.errors import SourceError, nearest
from featurestore.store.delta.log import is_table
from featurestore.store.source_files import list_files

UNLIMITED = 2**31 - 1
# By default files a week older than the newest are never read.
_FOR_EVER = "36500d"


@dataclass(frozen=True)
class Reading:
    """How a source is read as a stream.

    Args:
        uri: The source's address.
        files_per_batch: At most so many new files a batch; None for all that is new at once.
        starting_version: A Delta source's first version to read; None for the whole table.
    """

    uri: str
    _: KW_ONLY
    files_per_batch: int | None = None
    starting_version: int | None = None


def stored_source(view: FeatureView) -> StoredSource:
    """Return the view's source, which must be one that can be materialized.

    Raises:
        SourceError: Its values come with the request, or need a reader that is not built yet.
    """
    source = view.source
    if not isinstance(source, (DeltaSource, FileSource)):
        raise SourceError(
            f"materialize view {view.name!r} ({view.origin})",
            f"source {source.name!r} brings its values with each request",
            "Use a DeltaSource or a FileSource.",
        )
    return source


def require_present(source: StoredSource, uri: str) -> None:
    """Refuse a source that is not there.

    Raises:
        SourceError: No Delta table, or no folder with files, lies at its address.
    """
    if isinstance(source, DeltaSource):
        there, kind = is_table(uri), "Delta table"
    else:
        there, kind = bool(list_files(uri)), "folder with data files"
    if not there:
        raise SourceError(
            _asked(source),
            f"there is no {kind} at {uri}",
            "Check path= (it is relative to the project's folder), or produce the data first.",
        )


@singledispatch
def read_stream(source: StoredSource, spark: SparkSession, reading: Reading) -> DataFrame:
    """Return the source's rows as a stream."""
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


@read_stream.register
def _(source: FileSource, spark: SparkSession, reading: Reading) -> DataFrame:
    reader = spark.readStream.format(source.format).schema(
        _file_schema(source, spark, reading.uri)
    )
    reader = reader.options(**_text_options(source)).option("maxFileAge", _FOR_EVER)
    if reading.files_per_batch is not None:
        reader = reader.option("maxFilesPerTrigger", str(reading.files_per_batch))
    return _typed(source, reader.load(reading.uri))


@singledispatch
def read_now(source: StoredSource, spark: SparkSession, uri: str) -> DataFrame:
    """Return the source's rows as they lie there now, not as a stream."""
    raise TypeError(source)


@read_now.register
def _(source: DeltaSource, spark: SparkSession, uri: str) -> DataFrame:
    return spark.read.format("delta").load(uri)


@read_now.register
def _(source: FileSource, spark: SparkSession, uri: str) -> DataFrame:
    reader = spark.read.format(source.format).schema(_file_schema(source, spark, uri))
    return _typed(source, reader.options(**_text_options(source)).load(uri))


def _file_schema(source: FileSource, spark: SparkSession, place: str) -> T.StructType:
    """Times of text formats are read as text: Spark would take the session's zone for them."""
    if source.format == "parquet":
        found = spark.read.parquet(place).schema
        _check_declared(source, found)
        return found
    if not source.schema:
        raise SourceError(
            _asked(source),
            f"{source.format} files carry no types and the source declares no schema",
            "Give the source schema=(Field(...), ...), in the files' order.",
        )
    return T.StructType(
        [
            T.StructField(
                field.name,
                T.StringType() if field.dtype == Timestamp else spark_type(field.dtype),
            )
            for field in source.schema
        ]
    )


def _check_declared(source: FileSource, found: T.StructType) -> None:
    problems = [
        f"column {field.name!r} is missing ({nearest(field.name, found.names).rstrip('.')})"
        if field.name not in found.names
        else f"column {field.name!r} is {found[field.name].dataType.simpleString()}, "
        f"declared as {field.dtype} ({field.origin})"
        for field in source.schema
        if field.name not in found.names
        or not fits(found[field.name].dataType, spark_type(field.dtype))
    ]
    if problems:
        raise SourceError(_asked(source), "; ".join(problems), "Correct the source's schema.")


def _text_options(source: FileSource) -> dict[str, str]:
    # A value that does not parse stops the run, rather than becoming null in silence; so does a
    # CSV header that names other columns than declared.
    if source.format == "csv":
        return {"header": "true", "enforceSchema": "false", "mode": "FAILFAST"}
    return {"mode": "FAILFAST"} if source.format == "json" else {}


def _typed(source: FileSource, rows: DataFrame) -> DataFrame:
    if source.format == "parquet":
        return rows
    return rows.select(
        *(
            moment(TimeColumn(field.name, T.StringType(), source)).alias(field.name)
            if field.dtype == Timestamp
            else F.col(quoted(field.name))
            for field in source.schema
        )
    )


def _asked(source: StoredSource) -> str:
    return f"read source {source.name!r} ({source.origin})"
