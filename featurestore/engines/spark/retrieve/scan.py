"""The scan: each Spark task answers a slice of the spine from the pinned tables.

The spine is range-partitioned on (keys, t), so that a key with many rows is divided by time. No
row of a feature table is shuffled.
"""

from collections.abc import Iterator, Sequence
from functools import partial

import pyarrow as pa
from pyspark.sql import DataFrame

from featurestore.engines.spark.errors.transport import send_errors
from featurestore.engines.spark.retrieve.result import finished_schema
from featurestore.engines.spark.retrieve.task import SliceTask, answered_pieces, in_batches
from featurestore.quoting import spark_name

_SHARE_OF_ROWS = 4
"""The spine's rows may have this part of a task's memory; the rest is for the answer."""


def scan(spine: DataFrame, task: SliceTask, *, by: Sequence[str], tasks: int) -> DataFrame:
    """Return the rows of a spine with their features, as `finish_slice` returns them.

    Args:
        spine: The spine.
        task: What each of Spark's tasks answers.
        by: The columns that order the rows: the keys and the time. None of them: no exchange.
        tasks: The number of tasks.
    """
    columns = [spark_name(name) for name in by]
    rows = spine.repartitionByRange(tasks, *columns) if columns else spine.repartition(tasks)
    schema = finished_schema(task, spine.schema)
    return rows.mapInArrow(partial(_answer_in_task, task), schema)


def answer_batches(task: SliceTask, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a task with their features, in parts that fit the task's memory.

    Args:
        task: The task.
        batches: The rows of the spine.
    """
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        held.append(batch)
        size += batch.nbytes
        if size * _SHARE_OF_ROWS >= task.memory_limit:
            yield from _answered(task, held)
            held, size = [], 0
    yield from _answered(task, held)


def _answer_in_task(
    task: SliceTask, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    pa.set_cpu_count(1)  # other tasks use the other cores
    with send_errors():
        yield from answer_batches(task, batches)


def _answered(task: SliceTask, held: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    if held:
        for rows in answered_pieces(task, pa.Table.from_batches(held)):
            yield from in_batches(rows)
