"""What a Spark task answers: a slice of a spine, by the engine in process.

A task gets plain data: the compiled queries, the addresses and versions of tables, and on-demand
functions by value. It gets no credentials: each machine has its own. The functions here take and
return Arrow tables, and know nothing of Spark.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import tzinfo
from functools import cached_property, lru_cache, partial
from typing import Literal, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.engines.bind import bind
from featurestore.engines.on_demand.compute import Function, inputs_of, with_on_demand
from featurestore.engines.on_demand.inputs import bind_request_inputs
from featurestore.engines.retrieval.answer import answer
from featurestore.engines.spine_times import NullTimes, row_name
from featurestore.errors import FeatureStoreError, RequestError
from featurestore.query.nodes import Query, ViewQuery
from featurestore.sizes import format_megabytes
from featurestore.store.columns import UTC_MICROS
from featurestore.store.delta.snapshot import Snapshot, open_snapshot

LABEL_MOMENT = "_featurestore_label_moment"
"""The column of a bound slice with the moments of which labels are as of."""

LABEL_VALUE = "_featurestore_label"
"""The column of the answers with the label's values."""

POSITION = "_featurestore_position"
"""The column with a row's position in a spine that has an order, such as an Arrow table."""

KEPT = "_featurestore_kept"
"""The column that says whether a row stays: not if its label is not mature and is dropped."""

TASK_MEMORY = "spark.featurestore.taskMemory"
"""Spark's setting with the memory of a task, such as ``1GB``."""

ROWS_PER_BATCH = 10_000
"""The most rows of a batch that a task returns."""

_ROW = re.compile(r"\brow ([\d,]+)")
_OPEN_TABLES = 64
# A footer of half a million rows takes 0.1 MB. A worker opens the files of many slices.
_FOOTER_BYTES = 8_000_000


class TableVersion(NamedTuple):
    """A pinned table.

    Args:
        uri: The table's address.
        version: The Delta version.
    """

    uri: str
    version: int


@dataclass(frozen=True)
class SpineTimes:
    """How the times of a spine are read.

    Args:
        timezone: The zone of times without one; None refuses them.
        null_times: ``"keep"`` answers rows without a time with nulls; ``"error"`` refuses them.
    """

    timezone: str | tzinfo | None = None
    null_times: NullTimes = "error"


@dataclass(frozen=True)
class LabelTask:
    """A label to compute.

    Args:
        query: One use of the label's view, with one aggregate. Its time column is the spine's.
        name: The name of the label column.
        mature_after: How long after a row's moment its label is final, in microseconds.
        now: The present moment in UTC microseconds. A label that is final before it is mature.
        immature: What to do with rows whose labels are not mature.
    """

    query: Query
    _: KW_ONLY
    name: str
    mature_after: int
    now: int
    immature: Literal["drop", "keep", "flag"]

    @property
    def flag(self) -> str:
        """The name of the column that says whether a label is mature."""
        return f"{self.name}_mature"

    @property
    def view(self) -> ViewQuery:
        """The use of the label's view in a bound slice, with a time column of its own."""
        [use] = self.query.views
        [aggregate] = use.aggregates
        return replace(
            use,
            timestamp_field=LABEL_MOMENT,
            aggregates=(replace(aggregate, output=LABEL_VALUE),),
        )


@dataclass(frozen=True)
class SliceTask:
    """Everything that a task needs to answer a slice of a spine. Spark pickles it.

    Args:
        query: The compiled features.
        label: The label to compute; None if it is a column of the spine, or if there is none.
        times: How the spine's times are read.
        tables: The pinned table of each view, of the label's view too, by the view's name.
        functions: The Python functions of on-demand views, by the view's name.
        memory_limit: The most memory that a task uses for its rows and its answer, in bytes.
        checksums: Whether the pages of files are compared with their checksums.
    """

    query: Query
    _: KW_ONLY
    label: LabelTask | None = None
    times: SpineTimes = SpineTimes()
    tables: Mapping[str, TableVersion] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)
    memory_limit: int = 512_000_000
    checksums: bool = False

    @cached_property
    def stored(self) -> Query:
        """What feature tables answer: the features, the inputs of on-demand ones, the label."""
        stored = self.query.stored
        views = stored.views if self.label is None else (*stored.views, self.label.view)
        return replace(stored, views=views)


def bind_slice(task: SliceTask, rows: pa.Table) -> pa.Table:
    """Return the keys and moments of rows, in the kernel's types.

    Args:
        task: The task.
        rows: Rows of the spine.

    Returns:
        A row for each spine row, with the key and time columns of ``task.stored``. The label has
        a time column of its own, `LABEL_MOMENT`.

    Raises:
        SpineError: A column is missing or has another type, or a value does not fit.

    Example:
        >>> bind_slice(SliceTask(Query("call", ())), pa.table({"x": [1, 2]})).num_rows
        2
    """
    timezone, null_times = task.times.timezone, task.times.null_times
    bound = bind(task.query.stored, rows, timezone=timezone, null_times=null_times)
    if task.label is None:
        return bound
    own = bind(task.label.query, rows, timezone=timezone, null_times=null_times)
    moments = own[task.label.query.timestamp_field].cast(pa.int64())
    label_moments = pc.add(moments, task.label.mature_after).cast(UTC_MICROS)
    columns = {key.spine_column: own[key.spine_column] for key in task.label.view.keys}
    columns |= {name: bound[name] for name in bound.column_names}
    return pa.table(columns | {LABEL_MOMENT: label_moments})


def bind_part(task: SliceTask, rows: pa.Table) -> pa.Table:
    """Return the keys and moments of rows that are a part of a spine: see `bind_slice`.

    Args:
        task: The task.
        rows: Rows of the spine.

    Raises:
        SpineError: As by `bind_slice`. It names a row by its number in the whole spine, or not at
            all if the spine has no order.
    """
    with _named_rows(rows):
        return bind_slice(task, rows)


def answer_slice(task: SliceTask, rows: pa.Table) -> pa.Table:
    """Return rows of a spine with their features, read from the pinned tables by one thread.

    Rows that do not fit the task's memory together are answered in halves.

    Args:
        task: The task.
        rows: Rows of the spine.

    Returns:
        As `finish_slice`.

    Raises:
        FeatureStoreError: A value of the spine does not fit, a table cannot be read, a function
            fails, or a single row does not fit the task's memory.

    Example:
        >>> answer_slice(SliceTask(Query("call", ())), pa.table({"x": [1]})).to_pydict()
        {'x': [1], '_featurestore_kept': [True]}
    """
    return pa.concat_tables(answered_pieces(task, rows))


def answered_pieces(task: SliceTask, rows: pa.Table) -> Iterator[pa.Table]:
    """Yield the tables of which `answer_slice` returns the rows, one after the other.

    Together they may have more bytes than the task's memory.

    Args:
        task: The task.
        rows: Rows of the spine.

    Raises:
        FeatureStoreError: As by `answer_slice`.

    Example:
        >>> task = SliceTask(Query("call", ()))
        >>> [piece.num_rows for piece in answered_pieces(task, pa.table({"x": [1, 2]}))]
        [2]
    """
    bound = bind_part(task, rows)
    snapshots = {view: _snapshot(table, task.checksums) for view, table in task.tables.items()}
    yield from _answered(task, rows, bound, snapshots)


def in_batches(rows: pa.Table) -> Iterator[pa.RecordBatch]:
    """Yield rows in batches of `ROWS_PER_BATCH` rows or less, of which one at a time is copied.

    Args:
        rows: The rows. Arrow could not combine all of them if they have more than 2 GB of texts.

    Example:
        >>> [batch.num_rows for batch in in_batches(pa.table({"x": range(12_000)}))]
        [10000, 2000]
    """
    for start in range(0, rows.num_rows, ROWS_PER_BATCH):
        yield from rows.slice(start, ROWS_PER_BATCH).combine_chunks().to_batches()


def finish_slice(task: SliceTask, rows: pa.Table, answers: pa.Table) -> pa.Table:
    """Return rows of a spine with their label and features, from the answers of feature tables.

    Args:
        task: The task.
        rows: Rows of the spine.
        answers: The answers to ``task.stored``, a row for each spine row.

    Returns:
        All rows in order: the user's columns, a computed label, the features, and `KEPT`, which
        says which rows stay. Those that do not stay have nulls as label and features.

    Raises:
        FeatureStoreError: A request value does not fit, or an on-demand feature fails.

    Example:
        >>> rows = pa.table({"x": [1]})
        >>> finish_slice(SliceTask(Query("call", ())), rows, rows.select([])).column_names
        ['x', '_featurestore_kept']
    """
    mature = _mature(task, rows)
    if task.label is None or task.label.immature != "drop":
        return _finished(task, rows, answers, mature)
    leave = pc.invert(mature)
    stay = _finished(task, rows.filter(mature), answers.filter(mature), mature.filter(mature))
    return pa.concat_tables([stay, _left_out(rows.filter(leave), stay.schema)])


def _mature(task: SliceTask, rows: pa.Table) -> pa.ChunkedArray:
    """Return which rows have a mature label; all of them without a computed label."""
    if task.label is None:
        return pa.chunked_array([pa.repeat(pa.scalar(True), rows.num_rows)])
    moments = bind_slice(task, rows)[LABEL_MOMENT].cast(pa.int64())
    return pc.fill_null(pc.less_equal(moments, task.label.now), False)


def _finished(
    task: SliceTask, rows: pa.Table, answers: pa.Table, mature: pa.ChunkedArray
) -> pa.Table:
    columns = dict(zip(rows.column_names, rows.columns, strict=True))
    if task.label is not None:
        empty = pa.scalar(None, answers.schema.field(LABEL_VALUE).type)
        columns[task.label.name] = pc.if_else(mature, answers[LABEL_VALUE], empty)
        if task.label.immature == "flag":
            columns[task.label.flag] = mature
    with _named_rows(rows):
        requests = bind_request_inputs(
            task.query, rows, timezone=task.times.timezone, null_times=task.times.null_times
        )
    inputs = inputs_of(task.query, answers, requests)
    features = with_on_demand(task.query, answers, inputs, task.functions)
    columns |= {name: features[name] for name in task.query.outputs}
    columns[KEPT] = pa.chunked_array([pa.repeat(pa.scalar(True), rows.num_rows)])
    return pa.table(columns)


def _left_out(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return rows that do not stay, with the columns of those that do."""
    columns = {
        each.name: rows[each.name]
        if each.name in rows.column_names
        else pa.nulls(rows.num_rows, each.type)
        for each in schema
    }
    columns[KEPT] = pa.repeat(pa.scalar(False), rows.num_rows)
    return pa.table(columns, schema=schema)


def _answered(
    task: SliceTask, rows: pa.Table, bound: pa.Table, snapshots: Mapping[str, Snapshot]
) -> Iterator[pa.Table]:
    """Yield the finished rows, in parts that fit the task's memory."""
    try:
        with _named_rows(rows):
            # The rows themselves stay in memory for the user's columns.
            left = task.memory_limit - rows.nbytes
            answers = answer(task.stored, bound, snapshots, memory_limit=left, threads=1)
    except RequestError as error:  # the rows do not fit the memory together
        if rows.num_rows == 1:
            raise _too_little_memory(task, error) from None
    else:
        yield finish_slice(task, rows, answers)
        return
    cut = rows.num_rows // 2
    yield from _answered(task, rows.slice(0, cut), bound.slice(0, cut), snapshots)
    yield from _answered(task, rows.slice(cut), bound.slice(cut), snapshots)


def _too_little_memory(task: SliceTask, error: RequestError) -> RequestError:
    found = f"a task has {format_megabytes(task.memory_limit)}, but {error.found}"
    fix = (
        f"Give tasks more memory by Spark's setting {TASK_MEMORY}, such as 2GB, and executors too."
    )
    return RequestError(error.call, found, fix)


@lru_cache(maxsize=_OPEN_TABLES)
def _snapshot(table: TableVersion, checksums: bool) -> Snapshot:
    """Return a pinned table. Spark keeps its Python processes, so the next task has it open."""
    opened = open_snapshot(table.uri, table.version)
    return replace(opened, checksums=checksums, footer_limit=_FOOTER_BYTES)


@contextmanager
def _named_rows(rows: pa.Table) -> Iterator[None]:
    """Name rows by their position in the whole spine, if it has an order."""
    try:
        yield
    except FeatureStoreError as error:
        name = partial(_name_in_spine, rows)
        raise type(error)(error.call, _ROW.sub(name, error.found), error.fix) from None


def _name_in_spine(rows: pa.Table, match: re.Match[str]) -> str:
    position = int(match[1].replace(",", ""))
    if POSITION not in rows.column_names or position >= rows.num_rows:
        return "one row"
    return row_name(rows[POSITION][position].as_py())
