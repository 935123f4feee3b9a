"""How a spine is divided into tasks: by which columns, and into how many parts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from featurestore.engines.retrieval.cost import cost_of, spine_and_answer_bytes
from featurestore.engines.retrieval.scatter import fixed_width
from featurestore.engines.retrieval.widths import LEAST_WIDTH
from featurestore.engines.spark.retrieve.task import LABEL_MOMENT, TASK_MEMORY, SliceTask
from featurestore.errors import ProjectError, SetupError
from featurestore.query.nodes import ViewQuery
from featurestore.sizes import parse_bytes
from featurestore.store.delta.snapshot import Snapshot

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DEFAULT_TASK_MEMORY = 512_000_000
"""The memory of a task in bytes, unless Spark's setting `TASK_MEMORY` says another one."""

_PARALLEL, _USUAL_PARALLEL = "spark.sql.shuffle.partitions", 200
# PERF: a task costs Spark and its Python 0.1 to 0.2 seconds of a core. It is worth its start if it
# has so many bytes of rows and answers, or if it reads so many bytes of tables.
_BYTES_OF_ROWS = 128 << 20
_BYTES_OF_TABLES = 256 << 20
# Of a task's memory, so much is for its rows and answers if their widths are as estimated.
_SHARE = 4


@dataclass(frozen=True)
class Division:
    """How a spine is divided into tasks.

    Args:
        order: The columns by whose ranges the rows are divided: the keys of the view with the
            most bytes, then the time.
        tasks: The number of tasks.
        row_bytes: The estimated bytes of a spine row with its answer.
    """

    order: tuple[str, ...]
    tasks: int
    row_bytes: int


def divided(
    task: SliceTask,
    spine: pa.Schema,
    snapshots: Mapping[str, Snapshot],
    rows: int,
    parallel: int,
) -> Division:
    """Return how a spine is divided into tasks that fit their memory.

    Args:
        task: What a task answers, with its memory.
        spine: The columns of the spine.
        snapshots: The pinned table of each view, by name.
        rows: The number of rows of the spine.
        parallel: The number of tasks that shall have work, if there are rows for so many.

    Example:
        >>> from featurestore.query.nodes import Query
        >>> divided(SliceTask(Query("call", ())), pa.schema([]), {}, 20_000, 8).tasks
        1
    """
    row_bytes = max(1, _row_bytes(task, spine, snapshots))
    for_memory = -(-rows * row_bytes * _SHARE // task.memory_limit)
    table_bytes = _bytes(snapshots, snapshots.keys())
    worth = max(-(-rows * row_bytes // _BYTES_OF_ROWS), table_bytes // _BYTES_OF_TABLES)
    tasks = max(1, min(rows, max(for_memory, min(parallel, worth))))
    return Division(_order(task, snapshots), tasks, row_bytes)


def task_memory(spark: "SparkSession") -> int:
    """Return the memory of a task, in bytes.

    Args:
        spark: The session, whose setting `TASK_MEMORY` may say it.

    Raises:
        SetupError: The setting is no size of memory.
    """
    text = spark.conf.get(TASK_MEMORY, None)
    if text is None:
        return DEFAULT_TASK_MEMORY
    try:
        return parse_bytes(text)
    except ProjectError as error:
        raise SetupError(f"read Spark's setting {TASK_MEMORY}", error.found, error.fix) from None


def parallel_tasks(spark: "SparkSession") -> int:
    """Return the number of tasks that shall have work at least, by Spark's own setting."""
    text = spark.conf.get(_PARALLEL) or ""
    # Databricks has "auto" here.
    return int(text) if text.isdigit() else _USUAL_PARALLEL


def _order(task: SliceTask, snapshots: Mapping[str, Snapshot]) -> tuple[str, ...]:
    """Return the keys and the time of the uses whose tables have the most bytes together."""
    uses = [use for use in task.stored.views if use.keys] or list(task.stored.views)
    if not uses:
        return (task.query.timestamp_field,) if task.query.on_demand else ()
    tables: dict[tuple[str, ...], set[str]] = {}
    for use in uses:
        names = (*(key.spine_column for key in use.keys), _time_column(task, use))
        tables.setdefault(tuple(dict.fromkeys(names)), set()).add(use.view)
    return max(tables, key=lambda order: _bytes(snapshots, tables[order]))


def _bytes(snapshots: Mapping[str, Snapshot], views: Collection[str]) -> int:
    return sum(snapshots[view].bytes for view in views)


def _time_column(task: SliceTask, use: ViewQuery) -> str:
    if use.timestamp_field == LABEL_MOMENT and task.label is not None:
        return task.label.query.timestamp_field
    return use.timestamp_field


def _row_bytes(task: SliceTask, spine: pa.Schema, snapshots: Mapping[str, Snapshot]) -> int:
    widths = {each.name: fixed_width(each.type) or LEAST_WIDTH for each in spine}
    keys = {key.spine_column for use in task.stored.views for key in use.keys}
    bound = sum(widths.get(name, LEAST_WIDTH) for name in keys)
    one = pa.table({"row": pa.nulls(1)})
    answers = spine_and_answer_bytes(task.stored, one, snapshots)
    kernel = max(
        (cost_of(use, snapshots[use.view]).per_spine_row for use in task.stored.views), default=0
    )
    return 2 * sum(widths.values()) + 2 * bound + answers + kernel
