"""Readers of sources: the new rows as a stream, or all present rows as a table."""

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
# By default, Spark never reads a file that is a week older than the newest one.
_NO_AGE_LIMIT = "36500d"


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


def stored_source(view: FeatureView) -> StoredSource:
    """Return the view's source, if it can be materialized.

    Raises:
        SourceError: It is a request source.
    """
    source = view.source
    if not isinstance(source, (DeltaSource, FileSource)):
        raise SourceError(
            f"materialize view {view.name!r} ({view.origin})",
            f"source {source.name!r} is a {type(source).__name__}: its values come with each call",
            "Read the view from a DeltaSource or a FileSource.",
        )
    return source


def require_present(source: StoredSource, uri: str) -> None:
    """Check that the source exists.

    Raises:
        SourceError: There is no Delta table, or no folder with files, at its address.
    """
    if isinstance(source, DeltaSource):
        exists, kind = is_table(uri), "Delta table"
    else:
        exists, kind = bool(list_files(uri)), "folder with data files"
    if not exists:
        raise SourceError(
            _call(source),
            f"there is no {kind} at {uri}",
            "Check path= (it is relative to the project's folder), or create the data first.",
        )


@singledispatch
def read_stream(source: StoredSource, spark: SparkSession, reading: Reading) -> DataFrame:
    """Return the source's new rows as a stream."""
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
    schema = _file_schema(source, spark, reading.uri)
    reader = spark.readStream.format(source.format).schema(schema)
    reader = reader.options(**_text_options(source)).option("maxFileAge", _NO_AGE_LIMIT)
    if reading.files_per_batch is not None:
        reader = reader.option("maxFilesPerTrigger", str(reading.files_per_batch))
    return _typed(source, reader.load(reading.uri))


@singledispatch
def read_now(source: StoredSource, spark: SparkSession, uri: str) -> DataFrame:
    """Return all rows that the source has now, as a table."""
    raise TypeError(source)


@read_now.register
def _(source: DeltaSource, spark: SparkSession, uri: str) -> DataFrame:
    return spark.read.format("delta").load(uri)


@read_now.register
def _(source: FileSource, spark: SparkSession, uri: str) -> DataFrame:
    reader = spark.read.format(source.format).schema(_file_schema(source, spark, uri))
    return _typed(source, reader.options(**_text_options(source)).load(uri))


def _file_schema(source: FileSource, spark: SparkSession, uri: str) -> T.StructType:
    """Return the schema to read files with.

    Times in text formats are read as text: Spark would read them in the session's time zone.
    """
    if source.format == "parquet":
        schema = spark.read.parquet(uri).schema
        _check_declared(source, schema)
        return schema
    if not source.schema:
        raise SourceError(
            _call(source),
            f"{source.format} files have no column types, and the source declares no schema",
            "Add schema=(Field(...), ...) to the source, in the files' order.",
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


def _check_declared(source: FileSource, schema: T.StructType) -> None:
    problems = [
        f"column {field.name!r} is missing ({nearest(field.name, schema.names).rstrip('.')})"
        if field.name not in schema.names
        else f"column {field.name!r} is {schema[field.name].dataType.simpleString()}, "
        f"declared as {field.dtype} ({field.origin})"
        for field in source.schema
        if field.name not in schema.names
        or not fits(schema[field.name].dataType, spark_type(field.dtype))
    ]
    if problems:
        raise SourceError(_call(source), "; ".join(problems), "Correct the source's schema.")


def _text_options(source: FileSource) -> dict[str, str]:
    # By default a value that does not parse becomes null, and a CSV header is not compared with
    # the schema. With these options both stop the run.
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


def _call(source: StoredSource) -> str:
    return f"read source {source.name!r} ({source.origin})"
