"""The description of a batch's rows in Spark's tasks, by a function of Arrow data."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore.engines.spark.errors.unwrap import is_cancelled
from featurestore.engines.spark.session.executors import is_cluster
from featurestore.quoting import spark_name
from featurestore.store.delta.commit_files import commit_actions
from featurestore.store.file_system import file_system
from featurestore.store.paths import is_local

_LOG = logging.getLogger(__name__)
_TEXT = "description"
_TEXTS = f"{_TEXT} string"
# PERF: Spark passes 10,000 rows at a time; most of the time of a call is the same for more rows.
ROWS_PER_CALL = 200_000
BYTES_PER_CALL = 64 << 20


@dataclass(frozen=True)
class Profiling:
    """How the rows of a run are described. The functions come from the caller.

    Args:
        columns: The stored columns that `describe` reads.
        describe: Takes the rows of a task, as tables, and returns a text. Spark pickles it.
        collect: Takes the texts of a batch, after it was committed.
        counted: Those of ``columns`` of which only nulls are counted: each value is sent as true.
    """

    columns: tuple[str, ...]
    describe: Callable[[Iterable[pa.Table]], str]
    collect: Callable[[list[str]], None]
    counted: frozenset[str] = frozenset()


def reads_files(spark: SparkSession, table: str) -> bool:
    """Return whether Spark's tasks can surely open the files that Spark has written.

    So it is if both are on this machine: the tasks are processes of this user.

    Args:
        spark: The session.
        table: The table's address.
    """
    return is_local(table) and not is_cluster(spark.conf.get("spark.master", "") or "")


def file_descriptions(
    spark: SparkSession, table: str, version: int, profiling: Profiling
) -> list[str]:
    """Return the text of each of Spark's tasks for the rows of a commit.

    PERF: the tasks read the files of the commit by Arrow: 0.25 s of CPU for a million rows of six
    columns. If Java sends the rows to Python, it is 0.9 s. There is at most a task for each core:
    one more costs 0.05 s, and the driver merges its text, of some 300 kB.

    Args:
        spark: The session.
        table: The table's address.
        version: The version of the commit.
        profiling: How to describe them.
    """
    actions = commit_actions(table, version) or ()
    files = [f"{table}/{unquote(action['add']['path'])}" for action in actions if "add" in action]
    work = partial(_describe_files, profiling.describe, profiling.columns, files)
    tasks = max(1, min(len(files), os.cpu_count() or 1))
    numbers = spark.range(0, len(files), 1, numPartitions=tasks)
    return _texts(lambda: numbers.mapInArrow(work, _TEXTS))


def descriptions(rows: DataFrame, profiling: Profiling) -> list[str]:
    """Return the text of each of Spark's tasks for rows; none if they cannot be described.

    A failure is logged: it is no reason not to store the rows.

    Args:
        rows: The rows. They are computed once if they are cached.
        profiling: How to describe them.
    """
    columns = rows.select(*(_column(name, profiling) for name in profiling.columns))
    work = partial(_describe_in_task, profiling.describe)
    return _texts(lambda: columns.mapInArrow(work, _TEXTS))


def _texts(describe: Callable[[], DataFrame]) -> list[str]:
    """Return the texts of Spark's tasks; a failure is logged, and gives none."""
    try:
        return [row[_TEXT] for row in describe().collect()]
    except (PySparkException, Py4JError) as error:
        if is_cancelled(error):
            raise
        _LOG.warning("the rows of a batch were not described", exc_info=error)
        return []


def _column(name: str, profiling: Profiling) -> Column:
    own = F.col(spark_name(name))
    # Arrays and pictures may be large.
    return F.when(own.isNotNull(), F.lit(True)).alias(name) if name in profiling.counted else own


def _describe_in_task(
    describe: Callable[[Iterable[pa.Table]], str], batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    yield pa.RecordBatch.from_pydict({_TEXT: [describe(_large(batches))]})


def _describe_files(
    describe: Callable[[Iterable[pa.Table]], str],
    columns: Sequence[str],
    files: Sequence[str],
    batches: Iterator[pa.RecordBatch],
) -> Iterator[pa.RecordBatch]:
    """Yield the text of the rows of the files with the numbers of a task."""
    own = [files[number] for batch in batches for number in batch.column(0).to_pylist()]
    if own:
        rows = _large(_rows_of_files(own, columns))
        yield pa.RecordBatch.from_pydict({_TEXT: [describe(rows)]})


def _rows_of_files(files: Iterable[str], columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    for address in files:
        filesystem, path = file_system(address)
        with pq.ParquetFile(filesystem.open_input_file(path)) as file:
            for group in range(file.num_row_groups):
                rows = file.read_row_group(group, list(columns), use_threads=False)
                yield from rows.select(list(columns)).combine_chunks().to_batches()


def _large(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Join batches until a call is worth it."""
    held: list[pa.RecordBatch] = []
    count = size = 0
    for batch in batches:
        held.append(batch)
        count += batch.num_rows
        size += batch.nbytes
        if count >= ROWS_PER_CALL or size >= BYTES_PER_CALL:
            yield pa.Table.from_batches(held)
            held, count, size = [], 0, 0
    if count:
        yield pa.Table.from_batches(held)
