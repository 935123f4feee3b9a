"""Spark's tasks of a `latest` table that open the feature table themselves: nothing is shuffled.

A task gets one number and, by pickle, plain data: addresses, versions and ranges of keys.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple
from functools import partial

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.latest.answer import LatestTask, answer_range
from featurestore.engines.latest.changes import Since
from featurestore.engines.latest.plan import ChangedKeys
from featurestore.engines.latest.ranges import KeyRange
from featurestore.engines.latest.rewrite import FileGroup, Rewritten, rewrite
from featurestore.engines.spark.errors.transport import send_errors
from featurestore.engines.spark.latest.schema import latest_schema
from featurestore.store.delta.replacement import NewFile
from featurestore.store.delta.snapshot import open_snapshot

_REWRITTEN = "number long, keys long, path string, size long, statistics string"
_NAMES = ["number", "keys", "path", "size", "statistics"]
ROWS_PER_BATCH = 50_000

Batches = Iterator[pa.RecordBatch]


def scanned_answers(
    spark: SparkSession, view: FeatureView, task: LatestTask, ranges: Sequence[Sequence[KeyRange]]
) -> DataFrame:
    """Return the rows of the view's ``latest`` table, in as many partitions as there are tasks.

    Args:
        spark: A session of ours, by `session.child.own_session`.
        view: The view.
        task: What the tasks answer.
        ranges: The ranges of each task, ascending.
    """
    parts = [tuple(each) for each in ranges]
    return _tasks(spark, len(parts), partial(_answer_in_task, task, parts), latest_schema(view))


def rewritten_files(spark: SparkSession, task: LatestTask, plan: ChangedKeys) -> list[Rewritten]:
    """Return what each group's files were rewritten to; the driver gets names of files only.

    Groups that cannot have changed keys get no task.

    Args:
        spark: A session of ours, by `session.child.own_session`.
        task: What the tasks answer.
        plan: The groups, and what has happened since the last refresh.
    """
    results = [Rewritten() for _ in plan.groups]
    if not plan.changing:
        return results
    latest = plan.latest.uri, plan.latest.version
    groups = tuple(plan.groups[number] for number in plan.changing)
    work = partial(_rewrite_in_task, task, latest, plan.since, groups)
    for row in _tasks(spark, len(groups), work, _REWRITTEN).toArrow().to_pylist():
        number = plan.changing[row["number"]]
        file = NewFile(row["path"], row["size"], row["statistics"])
        results[number] = Rewritten((*results[number].files, file), row["keys"])
    return results


def _tasks(
    spark: SparkSession,
    count: int,
    work: Callable[[int], Iterator[pa.Table]],
    schema: T.StructType | str,
) -> DataFrame:
    """Return what a function yields for the numbers from 0 to ``count`` - 1, one task for each."""
    numbers = spark.range(0, count, 1, numPartitions=count)
    return numbers.mapInArrow(partial(_for_each_number, work), schema)


def _for_each_number(work: Callable[[int], Iterator[pa.Table]], batches: Batches) -> Batches:
    with send_errors():
        for batch in batches:
            for number in batch.column(0).to_pylist():
                for table in work(number):
                    yield from table.combine_chunks().to_batches(max_chunksize=ROWS_PER_BATCH)


def _answer_in_task(
    task: LatestTask, ranges: Sequence[Sequence[KeyRange]], number: int
) -> Iterator[pa.Table]:
    features = open_snapshot(task.uri, task.version)
    for keys in ranges[number]:
        yield from answer_range(task, features, keys)


def _rewrite_in_task(
    task: LatestTask,
    latest: tuple[str, int],
    since: Since,
    groups: Sequence[FileGroup],
    number: int,
) -> Iterator[pa.Table]:
    features, before = open_snapshot(task.uri, task.version), open_snapshot(*latest)
    done = rewrite(task, features, before, since, groups[number])
    files = [(number, done.keys, *astuple(file)) for file in done.files]
    if files:
        yield pa.table([pa.array(column) for column in zip(*files, strict=True)], _NAMES)
