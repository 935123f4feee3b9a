"""Probes of Spark's executors: one task tries to open pinned tables, or to write a file."""

import socket
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from uuid import uuid4

import pyarrow as pa
from deltalake.exceptions import DeltaError
from pyspark.sql import Row, SparkSession
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

from featurestore.credentials import without_credentials
from featurestore.engines.choose import Unreadable
from featurestore.engines.spark.errors.mapping import spark_errors
from featurestore.engines.spark.retrieve.task import TableVersion
from featurestore.errors import FeatureStoreError, SetupError
from featurestore.store.delta.files import open_file
from featurestore.store.delta.snapshot import open_snapshot

_CALL = "probe Spark's executors"
_COLUMNS = ("view", "problem", "host", "version")
_PROBLEM = "problem string"


def probe(spark: SparkSession, tables: Mapping[str, TableVersion]) -> tuple[Unreadable, ...]:
    """Return the pinned tables that a Spark task cannot read: the log, or its first file.

    Args:
        spark: The session.
        tables: The tables, by view.

    Raises:
        SetupError: The task's Python lacks a package of featurestore, or has featurestore of
            another version.
    """
    schema = T.StructType([T.StructField(name, T.StringType()) for name in _COLUMNS])
    task = partial(_probe_in_task, dict(tables))
    with spark_errors(_CALL, SetupError):
        (first, *rows) = spark.range(1).coalesce(1).mapInArrow(task, schema).collect()
    _require_version(first)
    return tuple(_masked(row, tables[row["view"]].uri) for row in rows)


def unreadable_tables(tables: Mapping[str, TableVersion]) -> dict[str, str]:
    """Return the problem of each table that this process cannot read, by view.

    Args:
        tables: The tables, by view.

    Example:
        >>> list(unreadable_tables({"v": TableVersion("/no/such/table", 0)}))
        ['v']
    """
    problems = {view: _problem(table) for view, table in tables.items()}
    return {view: problem for view, problem in problems.items() if problem is not None}


def _problem(table: TableVersion) -> str | None:
    try:
        snapshot = open_snapshot(table.uri, table.version)
        if snapshot.files.num_rows:
            open_file(snapshot, snapshot.files["path"][0].as_py()).data.close()
    except FeatureStoreError as error:
        return error.found
    except (OSError, DeltaError, pa.ArrowException) as error:
        return f"{type(error).__name__}: {error}"
    return None


def probe_write(spark: SparkSession, table: TableVersion) -> str | None:
    """Return why a Spark task cannot write a file into a table's folder; None if it can.

    Args:
        spark: The session.
        table: The table.

    Raises:
        SetupError: The task's Python lacks a package of featurestore.
    """
    with spark_errors(_CALL, SetupError):
        rows = spark.range(1).coalesce(1).mapInArrow(partial(_write_in_task, table), _PROBLEM)
        problems = [row["problem"] for row in rows.collect()]
    return without_credentials(problems[0]) if problems else None


def write_problem(table: TableVersion) -> str | None:
    """Return why this process cannot write a file into a table's folder; None if it can.

    The file is small, and it is removed again.

    Args:
        table: The table.

    Example:
        >>> write_problem(TableVersion("/no/such/table", 0)) is None
        False
    """
    path = f"probe-{uuid4()}"  # a clean-up removes it if this process cannot
    try:
        filesystem = open_snapshot(table.uri, table.version).filesystem
        with filesystem.open_output_stream(path) as stream:
            stream.write(b"probe")
        filesystem.delete_file(path)
    except FeatureStoreError as error:
        return error.found
    except (OSError, DeltaError, pa.ArrowException) as error:
        return f"{type(error).__name__}: {error}"
    return None


def _write_in_task(
    table: TableVersion, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    for _ in batches:
        problem = write_problem(table)
        problems = pa.array([] if problem is None else [problem], pa.string())
        yield pa.RecordBatch.from_arrays([problems], names=["problem"])


def _require_version(row: Row) -> None:
    """Refuse executors of another version: their answers may follow other rules."""
    own = _version()
    if row["version"] == own:
        return
    raise SetupError(
        _CALL,
        f"the Python of {row['host']} has featurestore {row['version']}, and this process has "
        f"{own}",
        "Install the same version on all machines, or name the Python that has it by "
        "spark.pyspark.python in the Spark settings.",
    )


def _version() -> str:
    # Not by an import: the package as a whole is above this module.
    return str(sys.modules["featurestore"].__version__)


def _masked(row: Row, uri: str) -> Unreadable:
    """Return a problem for plans and logs, where no credential may be."""
    problem = without_credentials(row["problem"])
    return Unreadable(row["view"], uri=without_credentials(uri), problem=problem, host=row["host"])


def _probe_in_task(
    tables: Mapping[str, TableVersion], batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Yield a row for the task itself, without a view, and then one for each problem."""
    for _ in batches:
        problems = unreadable_tables(tables)
        number = len(problems) + 1
        columns = [
            [None, *problems],
            [None, *problems.values()],
            [socket.gethostname()] * number,
            [_version()] * number,
        ]
        arrays = [pa.array(values, pa.string()) for values in columns]
        yield pa.RecordBatch.from_arrays(arrays, names=[*_COLUMNS])
