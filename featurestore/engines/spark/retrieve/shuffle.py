"""The shuffle: spine and stored rows meet in one exchange for each key set.

It serves where tasks cannot open the pinned tables, or where a view has no table: Spark reads or
computes the stored rows. The same kernel answers the rows of each key. The spine's rows go through
the exchanges of the key sets one after the other, each time with the answers until then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from types import MappingProxyType

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql.pandas.types import to_arrow_schema

from featurestore.engines.retrieval.cost import kernel_bytes
from featurestore.engines.retrieval.scatter import fixed_width
from featurestore.engines.retrieval.widths import LEAST_WIDTH, width_of
from featurestore.engines.spark.retrieve.exchange.blocks import BLOCKS, PART
from featurestore.engines.spark.retrieve.exchange.buckets import HotKey
from featurestore.engines.spark.retrieve.exchange.hot_keys import (
    Candidates,
    Moments,
    find_hot_keys,
)
from featurestore.engines.spark.retrieve.exchange.key_sets import KeySet, key_sets
from featurestore.engines.spark.retrieve.exchange.key_stream import (
    StreamTask,
    answer_stream,
    bind_batches,
    finish_batches,
    stored_blocks,
)
from featurestore.engines.spark.retrieve.exchange.layout import (
    BUCKET,
    SINCE,
    SOURCE,
    TIME,
    SpineLayout,
    key_name,
)
from featurestore.engines.spark.retrieve.exchange.sizes import Rows, Sizes, fitting_sizes
from featurestore.engines.spark.retrieve.exchange.spine_facts import SpineFacts, spine_facts
from featurestore.engines.spark.retrieve.exchange.stored_side import (
    StoredSide,
    StoredSize,
    measured_size,
    stored_side,
)
from featurestore.engines.spark.retrieve.result import finished_schema
from featurestore.engines.spark.retrieve.size import parallel_tasks
from featurestore.engines.spark.retrieve.task import SliceTask
from featurestore.query.nodes import ViewQuery
from featurestore.query.requirements import needed_columns
from featurestore.store.columns import arrow_type
from featurestore.store.delta.snapshot import Snapshot


@dataclass(frozen=True)
class Shuffle:
    """A call that is answered by exchanges.

    Args:
        rows: The rows of the spine with their features, as `finish_slice` returns them.
        exchanges: The exchanges, in their order.
    """

    rows: DataFrame
    exchanges: tuple["Exchange", ...]


@dataclass(frozen=True)
class Exchange:
    """One exchange, as it is planned.

    Args:
        key_set: The uses of views, and their keys.
        facts: The spine's rows with these keys.
        hot: The keys that are divided into buckets.
        sizes: How it is divided into tasks.
    """

    key_set: KeySet
    facts: SpineFacts
    hot: tuple[HotKey, ...]
    sizes: Sizes


def shuffle(
    task: SliceTask,
    spine: DataFrame,
    features: Mapping[str, DataFrame],
    *,
    snapshots: Mapping[str, Snapshot] = MappingProxyType({}),
    sizes: Sizes | None = None,
) -> Shuffle:
    """Return the rows of a spine with their features, and how they are brought together.

    Args:
        task: The whole call. Its pinned tables are not opened.
        spine: The spine. It is read several times, and must have the same rows each time.
        features: The stored rows of each view, by its name.
        snapshots: The pinned table of each view that has one. They say how many rows there are and
            how wide; Spark counts those of the other views.
        sizes: How the exchanges are divided; None for what fits the tasks' memory.

    Raises:
        FeatureStoreError: A value of the spine does not fit. It is read for a first look at the
            rows; the other errors of tasks come when the result is computed.
    """
    call = _Call(task, spine, features, snapshots, sizes)
    sets = key_sets(task.stored.views)
    exchanges = []
    streams: list[_Stream] = []
    answer_bytes = 0
    for number, facts in enumerate(spine_facts(task, spine, sets)):
        key_set = sets[number]
        wider = replace(facts, row_bytes=facts.row_bytes + answer_bytes)
        exchange, stored = _planned(call, key_set, wider)
        answer_bytes += sum(map(_answer_bytes, key_set.uses))
        layout = SpineLayout(
            key_set,
            later=sets[number + 1 :],
            hot=exchange.hot,
            spans=exchange.facts.spans,
            parts=exchange.sizes.tasks * exchange.sizes.parts,
        )
        exchanges.append(exchange)
        streams.append(_Stream(layout, stored, exchange.sizes.tasks))
    return Shuffle(_rows(task, spine, streams), tuple(exchanges))


@dataclass(frozen=True)
class _Stream:
    """The rows of one exchange: how the spine's rows go through it, and the stored rows."""

    layout: SpineLayout
    stored: list[DataFrame]
    tasks: int


@dataclass(frozen=True)
class _Call:
    """The arguments of `shuffle`."""

    task: SliceTask
    spine: DataFrame
    features: Mapping[str, DataFrame]
    snapshots: Mapping[str, Snapshot]
    sizes: Sizes | None


def _planned(call: _Call, key_set: KeySet, facts: SpineFacts) -> tuple[Exchange, list[DataFrame]]:
    """Return an exchange, and the stored rows of each use."""
    sides = [
        StoredSide(key_set, use, span=facts.spans[use.timestamp_field]) for use in key_set.uses
    ]
    stored = [stored_side(side, call.features[side.use.view]) for side in sides]
    sizes_of_uses = [
        _size_of_use(call, use, rows) for use, rows in zip(key_set.uses, stored, strict=True)
    ]
    sizes = call.sizes or _sizes(call, key_set, facts, sizes_of_uses)
    names = [key_name(number) for number in range(len(key_set.columns))]
    candidates = Candidates(
        Moments(call.task, call.spine, key_set),
        stored=[each.select(*names, TIME) for each in stored],
        rows=facts.rows + sum(each.rows for each in sizes_of_uses),
        rows_per_bucket=sizes.rows_per_bucket,
    )
    hot = find_hot_keys(candidates)
    sent = stored if hot else [rows.drop(SINCE) for rows in stored]
    return Exchange(key_set, facts, hot, sizes), sent


def _size_of_use(call: _Call, use: ViewQuery, stored: DataFrame) -> StoredSize:
    snapshot = call.snapshots.get(use.view)
    if snapshot is None:
        return measured_size(stored)
    widths = (width_of(snapshot, name) for name in needed_columns(use))
    return StoredSize(snapshot.rows, sum(widths))


def _sizes(
    call: _Call, key_set: KeySet, facts: SpineFacts, of_uses: Sequence[StoredSize]
) -> Sizes:
    """Return how an exchange is divided, by the numbers of its rows and their bytes."""
    kernel = [kernel_bytes(use) for use in key_set.uses]
    of_spine_row = max(of_row for _, of_row in kernel)
    stored = [
        Rows(each.rows, row_bytes=each.row_bytes, kernel_bytes=of_row)
        for each, (of_row, _) in zip(of_uses, kernel, strict=True)
    ]
    return fitting_sizes(
        Rows(facts.rows, row_bytes=facts.row_bytes, kernel_bytes=of_spine_row),
        stored,
        memory=call.task.memory_limit,
        parallel=parallel_tasks(call.spine.sparkSession),
    )


def _answer_bytes(use: ViewQuery) -> int:
    """Return the bytes of the answers of a spine row, which go through the exchanges after it."""
    return sum(fixed_width(arrow_type(each.result)) or LEAST_WIDTH for each in use.features)


def _rows(task: SliceTask, spine: DataFrame, streams: Sequence[_Stream]) -> DataFrame:
    """Return the finished rows, from one exchange after the other."""
    finished = finished_schema(task, spine.schema)
    if not streams:
        return spine.mapInArrow(partial(finish_batches, task), finished)
    layouts = [stream.layout for stream in streams]
    rows = spine.mapInArrow(partial(bind_batches, task, layouts[0]), BLOCKS)
    for stream, layout in zip(streams, [*layouts[1:], None], strict=True):
        schemas = tuple(map(_schema_in_block, stream.stored))
        answer = StreamTask(task, layout=stream.layout, following=layout, stored=schemas)
        rows = _together(stream, rows).mapInArrow(
            partial(answer_stream, answer), finished if layout is None else BLOCKS
        )
    return rows


def _schema_in_block(stored: DataFrame) -> pa.Schema:
    sent = to_arrow_schema(stored.drop(SINCE).schema, timezone="UTC")
    return sent.append(pa.field(BUCKET, pa.int64()))


def _together(stream: _Stream, spine: DataFrame) -> DataFrame:
    """Return the blocks of spine and views, brought together by part."""
    stored = (
        rows.mapInArrow(partial(stored_blocks, stream.layout, number), BLOCKS)
        for number, rows in enumerate(stream.stored, 1)
    )
    rows = reduce(DataFrame.unionAll, stored, spine)
    brought = rows.repartitionById(stream.tasks, F.col(PART))
    # The spine's rows come last, so that a task may answer some of them before it has all.
    return brought.sortWithinPartitions(F.col(PART), F.col(SOURCE).desc())
