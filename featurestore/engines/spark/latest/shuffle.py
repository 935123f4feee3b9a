"""The rows of a `latest` table where tasks cannot open the feature table.

Spark reads the table and shuffles it by key. The kernel answers each task's sorted rows.
"""

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.kernel import answer_view
from featurestore.engines.latest.answer import AS_OF, ROWS_PER_ANSWER
from featurestore.engines.spark.errors.transport import send_errors
from featurestore.engines.spark.latest.schema import latest_schema
from featurestore.query.compile import compile_view
from featurestore.query.nodes import ViewQuery
from featurestore.query.requirements import needed_columns
from featurestore.quoting import spark_name
from featurestore.store.columns import EVENT_TIME, UTC_MICROS


@dataclass(frozen=True)
class ShuffledTask:
    """The parameters of a Spark task that answers keys; plain data, because Spark pickles it.

    Args:
        query: The view's query, with the spine's columns named like the keys.
        as_of: The moment of the answers, in UTC microseconds.
        rows: The Arrow schema of the task's rows.
        rows_per_answer: The number of rows to hold before the complete keys are answered.
    """

    query: ViewQuery
    _: KW_ONLY
    as_of: int
    rows: pa.Schema
    rows_per_answer: int = ROWS_PER_ANSWER

    @property
    def keys(self) -> list[str]:
        """The names of the join keys."""
        return [binding.key for binding in self.query.keys]


def shuffled_answers(view: FeatureView, rows: DataFrame, as_of: int) -> DataFrame:
    """Return the rows of the view's ``latest`` table, from its feature rows that Spark has read.

    Args:
        view: The view.
        rows: The rows of its feature table.
        as_of: The moment of the answers, in UTC microseconds.
    """
    query = compile_view(view)
    keys = [spark_name(key.name) for key in view.join_keys]
    columns = rows.select(*(spark_name(name) for name in needed_columns(query)))
    task = ShuffledTask(query, as_of=as_of, rows=_arrow_schema(columns))
    grouped = (
        columns.repartition(*keys).sortWithinPartitions(*keys, EVENT_TIME)
        if keys
        else (columns.repartition(1))
    )
    return grouped.mapInArrow(partial(_answer_in_task, task), latest_schema(view))


def answer_groups(
    task: ShuffledTask, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Yield one row for each key, from rows that are sorted by key; runs inside a Spark task."""
    held: list[pa.RecordBatch] = []
    count, limit = 0, task.rows_per_answer
    for batch in batches:
        held.append(batch)
        count += batch.num_rows
        if task.keys and count >= limit:
            rows = _table(task, held)
            cut = _last_group(rows, task.keys)
            yield from _answer(task, rows.slice(0, cut))
            held, count = rows.slice(cut).to_batches(), rows.num_rows - cut
            # Doubled, so that a key with very many rows is searched a few times, not once a batch.
            limit = max(task.rows_per_answer, 2 * count)
    yield from _answer(task, _table(task, held))


def _answer_in_task(
    task: ShuffledTask, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    with send_errors():
        yield from answer_groups(task, batches)


def _arrow_schema(rows: DataFrame) -> pa.Schema:
    return rows.limit(0).toArrow().schema


def _table(task: ShuffledTask, held: list[pa.RecordBatch]) -> pa.Table:
    return pa.Table.from_batches(held, task.rows if not held else None)


def _answer(task: ShuffledTask, rows: pa.Table) -> Iterator[pa.RecordBatch]:
    # A view without keys has exactly one row; a view with keys has one row for each stored key.
    if not rows.num_rows and task.keys:
        return
    keys = rows.select(task.keys)
    if task.keys:
        keys = keys.filter(_first_of_group(rows, task.keys))
    count = keys.num_rows if task.keys else 1
    moments = pa.array([task.as_of] * count, pa.int64()).cast(UTC_MICROS)
    spine = pa.table({task.query.timestamp_field: moments})
    for name in keys.column_names:
        spine = spine.append_column(name, keys[name])
    answer = answer_view(task.query, spine, rows)
    columns = {name: spine[name] for name in task.keys}
    columns |= {name: answer[name] for name in task.query.outputs} | {AS_OF: moments}
    yield from pa.table(columns).combine_chunks().to_batches()


def _first_of_group(rows: pa.Table, keys: list[str]) -> pa.Array:
    """Return whether each row is the first of its key, in rows that are sorted by key."""
    differs = pa.array([False] * max(rows.num_rows - 1, 0), pa.bool_())
    for name in keys:
        column = rows[name].combine_chunks()
        differs = pc.or_(differs, pc.not_equal(column[1:], column[:-1]))
    return pa.concat_arrays([pa.array([True]), differs])


def _last_group(rows: pa.Table, keys: list[str]) -> int:
    """Return the position of the last key's first row; the next batch may continue that key."""
    starts = pc.indices_nonzero(_first_of_group(rows, keys))
    return int(starts.to_numpy()[-1])
