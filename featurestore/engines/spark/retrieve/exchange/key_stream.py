"""Inside the tasks of an exchange: rows become blocks, and the kernel answers the parts of keys.

A task gets the blocks of a part one after the other: first those of stored rows, then those of the
spine. It holds those of one part, and answers all its keys at once if they fit its memory, or one
half of them after the other.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import partial

import numpy as np
import pyarrow as pa

from featurestore.engines.arrays import Ints, Mask, integers, whole
from featurestore.engines.kernel import answer_view
from featurestore.engines.retrieval.cost import kernel_bytes
from featurestore.engines.spark.retrieve.exchange.blocks import (
    BYTES,
    BYTES_PER_BIND,
    PART,
    ROWS,
    blocks,
    bytes_at_once,
    gathered,
    key_hashes,
    rows_of,
)
from featurestore.engines.spark.retrieve.exchange.in_task import in_task
from featurestore.engines.spark.retrieve.exchange.layout import (
    BUCKET,
    NULL_KEYS,
    SOURCE,
    SPINE_SOURCE,
    SpineLayout,
    spine_rows,
    spine_tables,
    stored_table,
)
from featurestore.engines.spark.retrieve.exchange.placement import in_buckets
from featurestore.engines.spark.retrieve.exchange.planned_moments import require_planned
from featurestore.engines.spark.retrieve.task import (
    POSITION,
    TASK_MEMORY,
    SliceTask,
    bind_part,
    finish_slice,
    in_batches,
)
from featurestore.errors import RequestError, SumOverflowError
from featurestore.query.nodes import ViewQuery
from featurestore.sizes import format_megabytes
from featurestore.store.columns import arrow_type

# Of a task's memory, so much may be rows of the spine before they are answered. Their columns may
# be of any width.
_SHARE_OF_SPINE = 4
# The stored rows of one key may have so much of a task's memory if its spine rows are answered in
# several goes. With less left, there would be very many of them.
_SHARE_OF_ONE_KEY = 0.75


@dataclass(frozen=True)
class StreamTask:
    """What a task of an exchange does; plain data, because Spark pickles it.

    Args:
        task: The whole call.
        layout: How the spine's rows go through the exchange.
        following: How they go through the next exchange; None after the last one.
        stored: The columns of the stored rows of each use of a view in the exchange.
    """

    task: SliceTask
    _: KW_ONLY
    layout: SpineLayout
    following: SpineLayout | None
    stored: tuple[pa.Schema, ...]


@dataclass(frozen=True)
class KeyRows:
    """Rows of the spine, and all stored rows of their keys.

    Args:
        spine: The spine's rows, by `spine_rows`.
        stored: The stored rows of each use of a view.
    """

    spine: pa.Table
    stored: tuple[pa.Table, ...]

    def where(self, choose: Callable[[pa.Table], Mask]) -> "KeyRows":
        """Return the rows that a function chooses from its tables."""
        spine, *stored = (
            rows.filter(pa.array(choose(rows))) for rows in (self.spine, *self.stored)
        )
        return KeyRows(spine, tuple(stored))


def bind_batches(
    task: SliceTask, layout: SpineLayout, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a spine for the first exchange; runs inside a Spark task.

    Args:
        task: The whole call.
        layout: How the spine's rows go through the exchange.
        batches: The rows of the spine.
    """
    with in_task():
        sent = (
            _sent(task, layout, rows, bind_part(task, rows), rows.select([]))
            for rows in gathered(batches, BYTES_PER_BIND)
        )
        yield from _spine_blocks(layout, sent)


def stored_blocks(
    layout: SpineLayout, source: int, batches: Iterator[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Yield the stored rows of a use of a view for an exchange; runs inside a Spark task.

    Args:
        layout: How the spine's rows go through the exchange.
        source: The number of the use, from 1.
        batches: The rows.
    """
    key_set, size = layout.key_set, bytes_at_once(layout.parts)
    use = key_set.uses[source - 1]
    with in_task():
        placed = (
            rows
            for read in gathered(batches, size)
            for rows in in_buckets(key_set, use, layout.hot, read)
        )
        for rows in gathered(placed, size):
            yield blocks(rows, len(key_set.columns), source=source, parts=layout.parts)


def finish_batches(task: SliceTask, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a call without stored features; runs inside a Spark task."""
    with in_task():
        for rows in gathered(batches, BYTES_PER_BIND):
            bind_part(task, rows)  # refuses wrong values
            yield from in_batches(finish_slice(task, rows, rows.select([])))


def answer_stream(task: StreamTask, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the spine's rows of an exchange with their answers; runs inside a Spark task.

    Args:
        task: What to do.
        batches: The blocks of parts, those of a part one after the other.
    """
    with in_task():
        answered = (
            rows
            for part in key_rows(task, batches)
            for each in _without_shared_keys(part)
            for rows in _answered(task, each)
        )
        if task.following is None:
            for user, _, answers in answered:
                yield from in_batches(finish_slice(task.task, user, answers))
        else:
            following = task.following
            sent = (
                _sent(task.task, following, *piece) for rows in answered for piece in _pieces(rows)
            )
            yield from _spine_blocks(following, sent)


def key_rows(task: StreamTask, batches: Iterator[pa.RecordBatch]) -> Iterator[KeyRows]:
    """Yield the rows of a stream of blocks, those of a part together.

    The spine's rows of a part come in several goes, each with all stored rows, if they are large.
    Rows with a null key come at once, so that any number of them may be alike.

    Args:
        task: What to do.
        batches: The blocks, in the order of their parts, and in each part the spine's rows last.
    """
    most = task.task.memory_limit // _SHARE_OF_SPINE
    number, held, spine_bytes = None, _held(task), 0
    for batch in batches:
        places = zip(batch[PART].to_pylist(), batch[SOURCE].to_pylist(), batch[ROWS], strict=True)
        for part, source, block in places:
            if source == NULL_KEYS:
                yield KeyRows(rows_of(block), _no_rows(task))
                continue
            if part != number:
                yield from _together(task, held)
                number, held, spine_bytes = part, _held(task), 0
            held[source].append(rows_of(block))
            if source == SPINE_SOURCE:
                spine_bytes += block.as_buffer().size
            if spine_bytes > most:
                yield from _together(task, held)
                held, spine_bytes = [[], *held[1:]], 0
    yield from _together(task, held)


def _held(task: StreamTask) -> list[list[pa.Table]]:
    return [[] for _ in range(1 + len(task.stored))]


def _together(task: StreamTask, held: Sequence[Sequence[pa.Table]]) -> Iterator[KeyRows]:
    """Yield the rows together, if there are rows of the spine."""
    spine, *stored = held
    if spine:
        tables = zip(stored, _no_rows(task), strict=True)
        yield KeyRows(
            pa.concat_tables(spine),
            tuple(pa.concat_tables(rows) if rows else no_rows for rows, no_rows in tables),
        )


def _no_rows(task: StreamTask) -> tuple[pa.Table, ...]:
    return tuple(schema.empty_table() for schema in task.stored)


def _without_shared_keys(part: KeyRows) -> Iterator[KeyRows]:
    """Yield the rows in parts, so that no part has two buckets of a key.

    Buckets of a key may have the same stored rows, and the kernel would count them twice.
    """
    divided = _positive_buckets(part.spine)
    if not divided and not any(_positive_buckets(rows) for rows in part.stored):
        yield part
        return
    for bucket in (0, *divided):
        yield part.where(partial(_is_in, bucket))


def _positive_buckets(rows: pa.Table) -> list[int]:
    buckets = _buckets(rows)
    return [int(each) for each in np.unique(buckets[buckets > 0])]


def _buckets(rows: pa.Table) -> Ints:
    return integers(whole(rows[BUCKET].cast(pa.int64())))


def _is_in(bucket: int, rows: pa.Table) -> Mask:
    mask: Mask = _buckets(rows) == bucket
    return mask


_Rows = tuple[pa.Table, pa.Table, pa.Table]
"""The user's columns of spine rows, their key and time columns, and their answers."""


def _pieces(rows: _Rows) -> Iterator[_Rows]:
    """Yield rows in pieces of about `BYTES`: Arrow cannot join more than 2 GB of texts."""
    size = sum(table.nbytes for table in rows)
    most = max(1, rows[0].num_rows * BYTES // max(size, 1))
    for start in range(0, rows[0].num_rows, most):
        user, bound, answers = (table.slice(start, most) for table in rows)
        yield user, bound, answers


def _answered(task: StreamTask, part: KeyRows) -> Iterator[_Rows]:
    """Yield the spine's rows with their answers, in halves if they do not fit the memory."""
    if not part.spine.num_rows:
        return
    problem = _problem(task, part)
    if problem is None:
        user, bound, before = spine_tables(task.layout, part.spine)
        columns = dict(zip(before.column_names, before.columns, strict=True))
        for use, rows in zip(task.layout.key_set.uses, part.stored, strict=True):
            columns |= _kernel_answer(task.task, use, user, bound, stored_table(use, rows))
        yield user, bound, pa.table(columns) if columns else user.select([])
        return
    halves = _halves(task, part)
    if not halves:
        raise problem
    for half in halves:
        yield from _answered(task, half)


def _halves(task: StreamTask, part: KeyRows) -> tuple[KeyRows, ...]:
    """Return rows in two halves, each with all stored rows of its keys; none if it cannot be.

    Halves of the keys; or halves of the spine's rows, if there is one key or no stored row.
    """
    hashes = np.unique(
        np.concatenate([_hashes(task, each) for each in (part.spine, *part.stored)])
    )
    if len(hashes) > 1 and any(rows.num_rows for rows in part.stored):
        middle = hashes[len(hashes) // 2]
        return (
            part.where(lambda rows: _hashes(task, rows) < middle),
            part.where(lambda rows: _hashes(task, rows) >= middle),
        )
    cut = part.spine.num_rows // 2
    alone = max(_needed_bytes(task, KeyRows(part.spine.slice(0, 0), part.stored)), default=0)
    if not cut or alone > task.task.memory_limit * _SHARE_OF_ONE_KEY:
        return ()
    return tuple(
        KeyRows(each, part.stored) for each in (part.spine.slice(0, cut), part.spine.slice(cut))
    )


def _hashes(task: StreamTask, rows: pa.Table) -> Ints:
    return key_hashes(rows, len(task.layout.key_set.columns))


def _problem(task: StreamTask, part: KeyRows) -> RequestError | None:
    """Return why some rows cannot be answered in the task's memory; None if they can."""
    needed = _needed_bytes(task, part)
    for use, rows, size in zip(task.layout.key_set.uses, part.stored, needed, strict=True):
        if size > task.task.memory_limit:
            return _too_many_rows(task.task, use, part.spine, rows, size)
    return None


def _needed_bytes(task: StreamTask, part: KeyRows) -> list[int]:
    """Return the memory in which some rows are answered, in bytes: for each use of a view.

    All rows are in memory, and for one use after the other a copy of its rows, and the kernel's
    arrays.
    """
    held = sum(rows.nbytes for rows in (part.spine, *part.stored))
    return [
        held + rows.nbytes + rows.num_rows * stored_row + part.spine.num_rows * spine_row
        for rows, (stored_row, spine_row) in zip(
            part.stored, map(kernel_bytes, task.layout.key_set.uses), strict=True
        )
    ]


def _too_many_rows(
    task: SliceTask, use: ViewQuery, spine: pa.Table, rows: pa.Table, size: int
) -> RequestError:
    keys = " and ".join(repr(key.spine_column) for key in use.keys)
    return RequestError(
        task.query.call,
        f"a task has {format_megabytes(task.memory_limit)}, but {rows.num_rows:,} rows of "
        f"view {use.view!r}{f' with the same {keys}' if keys else ''} and their "
        f"{spine.num_rows:,} spine rows need {format_megabytes(size)} at once",
        f"Give tasks more memory by Spark's setting {TASK_MEMORY}, such as "
        f"'{format_megabytes(size)}', and executors too.",
    )


def _sent(
    task: SliceTask, layout: SpineLayout, rows: pa.Table, bound: pa.Table, answers: pa.Table
) -> pa.Table:
    """Return spine rows as they go through an exchange."""
    sent = spine_rows(layout, rows, bound, answers)
    require_planned(layout, task.query.call, bound, sent)
    return sent


def _spine_blocks(layout: SpineLayout, tables: Iterator[pa.Table]) -> Iterator[pa.RecordBatch]:
    """Yield spine rows as blocks; those with a null key have a source of their own."""
    keys = len(layout.key_set.columns)
    for rows in gathered(tables, bytes_at_once(layout.parts)):
        is_null = _buckets(rows) < 0
        for source, chosen in ((SPINE_SOURCE, ~is_null), (NULL_KEYS, is_null)):
            if chosen.any():
                part = rows if chosen.all() else rows.filter(pa.array(chosen))
                yield blocks(part, keys, source=source, parts=layout.parts)


def _kernel_answer(
    task: SliceTask, use: ViewQuery, user: pa.Table, bound: pa.Table, rows: pa.Table
) -> dict[str, pa.ChunkedArray]:
    try:
        answer = answer_view(use, bound, rows)
    except SumOverflowError as error:
        is_known = error.row is not None and POSITION in user.column_names
        row = user[POSITION][error.row].as_py() if is_known else None
        raise error.within(task.query.call, row) from None
    types: Sequence[pa.DataType] = [arrow_type(feature.result) for feature in use.features]
    return {name: answer[name].cast(dtype) for name, dtype in zip(use.outputs, types, strict=True)}
