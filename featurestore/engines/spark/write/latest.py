"""A view's ``latest`` table: one row for each key, with every feature as of one moment.

The table is an export for SQL and BI tools. The store's own look-ups never read it. The kernel
computes it inside Spark tasks.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass
from datetime import datetime
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.kernel import answer_view
from featurestore.engines.spark.errors.mapping import spark_errors
from featurestore.engines.spark.errors.transport import send_errors
from featurestore.engines.spark.types import spark_type
from featurestore.engines.spark.write.freshness import is_fresh, latest_notes
from featurestore.errors import SumOverflowError
from featurestore.query.compile import compile_view, output_fields
from featurestore.query.nodes import Query, ViewQuery
from featurestore.query.requirements import needed_columns
from featurestore.quoting import spark_name
from featurestore.store.columns import EVENT_TIME, UTC_MICROS
from featurestore.store.delta.log import latest_version
from featurestore.store.delta.protocol import check_plain
from featurestore.store.fault_points import fault_point
from featurestore.store.layout import Layout
from featurestore.times import to_micros

AS_OF = "as_of"
_REFRESH = "refresh latest table"
# A task holds at most about this many rows before it answers the keys that are complete.
ROWS_PER_ANSWER = 500_000


@dataclass(frozen=True)
class LatestTask:
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


def refresh(
    spark: SparkSession, layout: Layout, view: FeatureView, table_id: str, now: datetime
) -> int:
    """Replace the view's ``latest`` table, in one commit.

    Args:
        spark: A session of ours, by `session.child.own_session`.
        layout: The addresses of the tables.
        view: The view; its transform is not run.
        table_id: The build of the view's table to read.
        now: The moment of the answers.

    Returns:
        The Delta version of the new ``latest`` table.

    Raises:
        SumOverflowError: A sum does not fit the feature's type.
        TableError: The view's table is missing, or its log names a file outside of it.
    """
    latest, table = layout.latest(view.name), layout.features(view.name, table_id)
    # Spark follows the paths of a log wherever they lead.
    check_plain(table)
    notes = latest_notes(layout, view, table_id)
    call = f"{_REFRESH} of view {view.name!r} ({view.origin})"
    with _named_overflow(), spark_errors(call, view=view.name):
        # Without a version: to read a pinned one, Delta replays the log. The caller holds the
        # view's lock, so the newest version is the same throughout.
        rows = spark.read.format("delta").load(table)
        _answers(view, rows, to_micros(now)).write.format("delta").mode("overwrite").options(
            overwriteSchema="true",
            userMetadata=json.dumps(notes | {"as_of": now.isoformat()}),
        ).save(latest)
        fault_point("latest.published", view.name)
    check_plain(latest)
    return latest_version(latest) or 0


def refresh_if_stale(
    spark: SparkSession, layout: Layout, view: FeatureView, table_id: str, now: datetime
) -> int | None:
    """Refresh the ``latest`` table unless it has the newest version of the rows and definition.

    Returns:
        The Delta version of the new ``latest`` table; None if it was fresh.
    """
    if is_fresh(layout, view, table_id):
        return None
    return refresh(spark, layout, view, table_id, now)


def answer_groups(task: LatestTask, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
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
    task: LatestTask, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    with send_errors():
        yield from answer_groups(task, batches)


@contextmanager
def _named_overflow() -> Iterator[None]:
    """Name the refresh in the message of a sum that overflows."""
    try:
        yield
    except SumOverflowError as error:
        raise error.within(_REFRESH) from None


def _answers(view: FeatureView, rows: DataFrame, as_of: int) -> DataFrame:
    query = compile_view(view)
    keys = [spark_name(key.name) for key in view.join_keys]
    columns = rows.select(*(spark_name(name) for name in needed_columns(query)))
    task = LatestTask(query, as_of=as_of, rows=_arrow_schema(columns))
    grouped = (
        columns.repartition(*keys).sortWithinPartitions(*keys, EVENT_TIME)
        if keys
        else (columns.repartition(1))
    )
    return grouped.mapInArrow(partial(_answer_in_task, task), _schema(view, query))


def _schema(view: FeatureView, query: ViewQuery) -> T.StructType:
    fields = (*view.join_keys, *output_fields(Query("latest", (query,))))
    return T.StructType(
        [
            *(T.StructField(field.name, spark_type(field.dtype)) for field in fields),
            T.StructField(AS_OF, T.TimestampType()),
        ]
    )


def _arrow_schema(rows: DataFrame) -> pa.Schema:
    return rows.limit(0).toArrow().schema


def _table(task: LatestTask, held: list[pa.RecordBatch]) -> pa.Table:
    return pa.Table.from_batches(held, task.rows if not held else None)


def _answer(task: LatestTask, rows: pa.Table) -> Iterator[pa.RecordBatch]:
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
