"""The kernel on the blocks of an exchange: worlds in small batches, without Spark."""

from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from featurestore.definitions.model.types import Int64
from featurestore.engines import reference
from featurestore.engines.bind import bind
from featurestore.engines.spark.errors.transport import _SentError, received_error
from featurestore.engines.spark.retrieve.exchange.blocks import (
    PART,
    blocks,
    gathered,
    key_hashes,
    rows_of,
)
from featurestore.engines.spark.retrieve.exchange.buckets import (
    HotKey,
    Span,
    bucket_numbers,
    is_carried,
)
from featurestore.engines.spark.retrieve.exchange.hot_keys import (
    _moments_in_task,
    _of_equal_buckets,
)
from featurestore.engines.spark.retrieve.exchange.key_sets import KeySet, key_sets, ordered_keys
from featurestore.engines.spark.retrieve.exchange.key_stream import (
    StreamTask,
    _needed_bytes,
    _pieces,
    answer_stream,
    bind_batches,
    key_rows,
    stored_blocks,
)
from featurestore.engines.spark.retrieve.exchange.layout import (
    BUCKET,
    SINCE,
    SOURCE,
    TIME,
    SpineLayout,
    key_name,
    stored_names,
    value_name,
)
from featurestore.engines.spark.retrieve.exchange.spine_facts import _facts_in_task
from featurestore.engines.spark.retrieve.task import POSITION as SPINE_POSITION
from featurestore.engines.spark.retrieve.task import TASK_MEMORY, SliceTask, SpineTimes
from featurestore.errors import RequestError, SpineError, SumOverflowError
from featurestore.query.nodes import Column, KeyBinding, Query, ViewQuery
from featurestore.store.columns import AVAILABLE_TIME, EVENT_TIME, arrow_type
from tests.effort import examples
from tests.engines.kernel.compare import wrong_cells
from tests.engines.kernel.worlds import World, worlds

POSITION = "position"
TIMES = pa.timestamp("us", "UTC")
WORLDS = worlds().filter(lambda world: world.spine)


EDGES = st.lists(st.integers(-40, 40), max_size=4).map(sorted)


@examples(60)
@given(WORLDS, st.integers(1, 9), st.integers(1, 3), EDGES)
def test_worlds_in_small_batches_are_answered_as_by_the_reference(
    world, rows_per_batch, parts, edges
):
    task, layout = task_of(world, edges, parts)

    try:
        expected = reference.answer(world.query, world.spine, world.rows)
    except reference.IntegerOverflowError as overflow:
        with pytest.raises(Exception, match="featurestore-error") as sent:
            answered(world, task, layout, rows_per_batch)
        error = received_error(sent.value)
        assert isinstance(error, SumOverflowError)
        assert f"feature '{overflow}'" in error.call
        return

    answers = answered(world, task, layout, rows_per_batch).sort_by(POSITION)
    assert answers[POSITION].to_pylist() == [*range(len(world.spine))]
    assert wrong_cells(world, expected, answers) == []


@examples(30)
@given(WORLDS, st.integers(1, 9), EDGES)
def test_rows_that_do_not_fit_a_task_together_are_answered_in_halves(world, rows_per_batch, edges):
    """Least memory first, until each key fits alone."""
    _, layout = task_of(world, edges, 1)
    assume(reference_answer(world) is not None)

    for memory in (300, 1_000, 3_000, 10_000, 10**8):
        task = replace(task_of(world, edges, 1)[0], memory_limit=memory)
        try:
            answers = answered(world, task, layout, rows_per_batch).sort_by(POSITION)
        except _SentError as sent:
            assert isinstance(received_error(sent), RequestError)
            continue
        assert wrong_cells(world, reference_answer(world), answers) == []


@given(
    st.lists(st.sampled_from([None, 1, 2, -7, 2**40]), min_size=1, max_size=40), st.integers(1, 4)
)
def test_all_rows_of_a_key_are_in_one_part_and_no_row_is_lost(keys, parts):
    rows = pa.table(
        {
            key_name(0): pa.array(keys, pa.int64()),
            BUCKET: [0] * len(keys),
            "number": range(len(keys)),
        }
    )

    batch = blocks(rows, 1, source=3, parts=parts)

    found = [
        (part, rows_of(block))
        for part, block in zip(batch[PART].to_pylist(), batch["rows"], strict=True)
    ]
    places = [(key, part) for part, table in found for key in table[key_name(0)].to_pylist()]
    assert batch["source"].to_pylist() == [3] * batch.num_rows
    assert len(set(places)) == len(set(keys))
    assert pa.concat_tables(table for _, table in found).sort_by("number") == rows


def test_equal_keys_of_other_widths_are_in_the_same_part():
    keys = [1, -1, 7, -(2**31)]
    narrow, wide = (
        blocks(
            pa.table({key_name(0): pa.array(keys, kind), BUCKET: pa.array([0] * 4, kind)}),
            1, source=0, parts=50,
        )
        for kind in (pa.int32(), pa.int64())
    )  # fmt: skip

    assert narrow[PART].equals(wide[PART])


def test_a_key_that_does_not_fit_a_task_is_refused_with_the_memory_that_it_needs():
    world = world_of({7: 100}, [7])
    task, layout = task_of(world, [], 1)

    with pytest.raises(Exception, match="featurestore-error") as sent:
        answered(world, replace(task, memory_limit=1000), layout, 10)

    error = received_error(sent.value)
    assert isinstance(error, RequestError)
    for part in ("1MB", "100 rows", "'v'", "'card'"):
        assert part in error.found
    assert "7" not in error.found  # a value may be personal data
    assert TASK_MEMORY in error.fix


def test_keys_that_do_not_fit_a_task_together_are_answered_one_after_the_other():
    world = world_of({1: 100, 2: 100}, [1, 2, 2])
    task, layout = task_of(world, [], 1)
    sent = sent_blocks(world, task, layout, 10, world.spine_table())
    stream = stream_of(task, layout, sent.schemas)
    [part] = key_rows(stream, iter(sent.blocks))
    [needed_at_once] = _needed_bytes(stream, part)

    require_right(
        world, answered(world, replace(task, memory_limit=needed_at_once * 3 // 4), layout, 10)
    )


def test_many_spine_rows_of_one_key_are_answered_in_several_goes():
    """They come at once, and fit a task; together with the stored rows they do not."""
    world = world_of({7: 300}, [7] * 250)
    task, layout = task_of(world, [], 1)
    sent = sent_blocks(world, task, layout, 300, world.spine_table())
    stream = stream_of(task, layout, sent.schemas)
    [part] = key_rows(stream, iter(sent.blocks))
    [stored_alone] = _needed_bytes(stream, replace(part, spine=part.spine.slice(0, 0)))
    small = replace(task, memory_limit=stored_alone * 3 // 2)

    assert [*key_rows(replace(stream, task=small), iter(sent.blocks))] == [part]
    assert _needed_bytes(stream, part)[0] > small.memory_limit
    require_right(world, answered(world, small, layout, 300))


def test_wide_columns_of_the_user_count_as_memory():
    """The rows of a part are answered before all of them are in memory."""
    world, notes = world_of({7: 20}, [7] * 100), pa.array(["x" * 4_000] * 100)
    task, layout = task_of(world, [], 1)
    small = replace(task, memory_limit=100_000)
    spine = world.spine_table().append_column("note", notes)
    sent = sent_blocks(world, small, layout, 5, spine)

    parts = [*key_rows(stream_of(small, layout, sent.schemas), iter(sent.blocks))]

    assert sum(part.spine.num_rows for part in parts) == 100
    assert max(part.spine.nbytes for part in parts) < 50_000
    assert {part.stored[0].num_rows for part in parts} == {20}


def test_two_keys_of_a_view_may_be_in_one_column_of_the_spine():
    """Rows of other keys that share a part with a hot one stay out of its buckets."""
    keys = (KeyBinding("a", "x", Int64), KeyBinding("b", "x", Int64))
    use = ViewQuery("v", keys=keys, timestamp_field="at", columns=(Column("f", "f", Int64),))
    rows = [
        {"a": a, "b": b, "f": f, "event_timestamp": at, "available_timestamp": at, "_row_hash": f}
        for a, b, at, f in [(7, 7, 0, 1), (5, 7, 1, 98), (7, 5, 1, 99)]
    ]
    world = World(use, [{"x": 7, "at": at} for at in (1, 6, 9, 12)], rows)
    task, layout = task_of(world, [5, 10], 2)

    assert layout.hot[0].key == (7, 7)
    assert reference_answer(world) == {"f": [1] * 4}
    require_right(world, answered(world, task, layout, 2))


def test_rows_with_a_null_key_are_answered_as_they_come_however_many_are_alike():
    key = KeyBinding("id", "card", Int64)
    use = ViewQuery("v", keys=(key,), timestamp_field="at")
    task = SliceTask(Query("call", (use,), "at"))
    [key_set] = key_sets([use])
    layout = SpineLayout(key_set, parts=1)
    spine = pa.table(
        {"card": pa.array([None] * 95 + [3] * 5, pa.int64()), "at": pa.array([1] * 100, TIMES)}
    )
    sent = [*bind_batches(task, layout, iter(spine.to_batches(10)))] * 3

    parts = [*key_rows(stream_of(task, layout), iter(sent))]

    assert [part.spine.num_rows for part in parts] == [95, 95, 95, 15]


def test_rows_are_gathered_until_they_have_many_bytes():
    rows = pa.table({"x": range(100)})

    sizes = [table.num_rows for table in gathered(rows.to_batches(10), size=200)]

    assert sizes == [30, 30, 30, 10]


def test_a_table_with_many_bytes_is_gathered_in_pieces():
    rows = pa.table({"x": range(1000)})

    tables = [*gathered([rows.slice(0, 0), rows], size=800)]

    assert max(table.nbytes for table in tables) < 1600
    assert pa.concat_tables(tables) == rows


def test_answers_of_many_rows_go_to_the_next_exchange_in_several_blocks():
    """Arrow refuses to join more than 2 GB of texts."""
    rows = pa.table({"note": ["x" * 1_000_000] * 40})
    number, bound = pa.table({"number": range(40)}), rows.select([])

    found = [user for user, _, _ in _pieces((rows, number, bound))]

    assert len(found) > 2
    assert pa.concat_tables(found) == rows


def test_rows_with_equal_numbers_and_other_booleans_have_other_hashes():
    rows = pa.table({key_name(0): [True, False, True], BUCKET: [0, 0, 0]})

    yes, no, again = key_hashes(rows, 1)

    assert yes == again != no


def test_a_task_uses_one_core_for_arrow():
    world = world_of({7: 1}, [7])
    task, layout = task_of(world, [], 1)
    for read in (
        lambda: bind_batches(task, layout, iter(world.spine_table().to_batches())),
        lambda: stored_blocks(layout, 1, iter(stored_rows(world, layout).to_batches())),
        lambda: _facts_in_task(task, (layout.key_set,), iter(world.spine_table().to_batches())),
    ):
        pa.set_cpu_count(2)
        assert [*read()]
        assert pa.cpu_count() == 1


@pytest.mark.parametrize(
    ("card", "micros", "is_planned"),
    [
        (8, 10, True),
        (8, 20, True),
        (8, 21, False),  # after the last moment of the plan
        (8, 9, False),
        (None, 99, True),  # no stored row has a null key
        (8, None, True),
        (7, 12, True),
        (7, 13, False),  # between the moments of its bucket and those of the next one
        (7, 16, False),  # the plan saw no row in this bucket
    ],
)
def test_a_moment_that_the_plan_has_not_seen_is_refused(card, micros, is_planned):
    key = KeyBinding("id", "card", Int64)
    use = ViewQuery("v", keys=(key,), timestamp_field="at")
    [key_set] = key_sets([use])
    hot = HotKey((7,), (15,), {"at": (Span(10, 12), None)})
    layout = SpineLayout(key_set, hot=(hot,), spans={"at": Span(10, 20)})
    task = SliceTask(Query("call", (use,), "at"), times=SpineTimes(null_times="keep"))
    spine = pa.table({"card": pa.array([card], pa.int64()), "at": pa.array([micros], TIMES)})

    if is_planned:
        assert [each.num_rows for each in bind_batches(task, layout, iter(spine.to_batches()))]
        return
    with pytest.raises(Exception, match="featurestore-error") as sent:
        [*bind_batches(task, layout, iter(spine.to_batches()))]

    error = received_error(sent.value)
    assert isinstance(error, SpineError)
    assert "'at'" in error.found


@pytest.mark.parametrize("has_order", [True, False])
def test_errors_of_the_exchange_name_rows_only_of_a_spine_with_an_order(has_order):
    key = KeyBinding("id", "card", Int64)
    use = ViewQuery("v", keys=(key,), timestamp_field="at")
    task = SliceTask(Query("call", (use,), "at"))
    [key_set] = key_sets([use])
    spine = pa.table({"card": [1, 1], "at": ["2026-01-01T00:00:00Z", "yesterday"]})
    if has_order:
        spine = spine.append_column(SPINE_POSITION, pa.array([70, 71]))
    [batch] = spine.to_batches()

    for read in (
        lambda: bind_batches(task, SpineLayout(key_set), iter([batch])),
        lambda: _moments_in_task(task, key_set, (), iter([batch])),
        lambda: _facts_in_task(task, (key_set,), iter([batch])),
    ):
        with pytest.raises(Exception, match="featurestore-error") as sent:
            [*read()]
        error = received_error(sent.value)
        assert "'yesterday'" in error.found
        assert ("row 71" in error.found) == has_order
        assert "row 1 " not in error.found + " "


def task_of(world: World, edges: list[int], parts: int) -> tuple[SliceTask, SpineLayout]:
    """Return the task of a world, and the layout in which its first complete key is divided."""
    task = SliceTask(
        Query("call", (world.query,), world.query.timestamp_field),
        times=SpineTimes(null_times="keep"),
    )
    [key_set] = key_sets(task.stored.views)
    bound = bind(task.stored, world.spine_table(), null_times="keep")
    columns = [bound[name].to_pylist() for name in key_set.columns]
    keys = [*zip(*columns, strict=True)] if columns else [()]
    whole = [key for key in keys if None not in key]
    if not whole or not edges:
        return task, SpineLayout(key_set, parts=parts)
    hot = with_spans(key_set, HotKey(whole[0], tuple(edges), {}), bound)
    return task, SpineLayout(key_set, hot=(hot,), parts=parts)


def stream_of(
    task: SliceTask, layout: SpineLayout, stored: tuple[pa.Schema, ...] = (pa.schema([]),)
) -> StreamTask:
    return StreamTask(task, layout=layout, following=None, stored=stored)


def reference_answer(world: World) -> dict[str, list] | None:
    """Return the answers of the reference; None if a sum overflows."""
    try:
        return reference.answer(world.query, world.spine, world.rows)
    except reference.IntegerOverflowError:
        return None


@dataclass(frozen=True)
class SentBlocks:
    """The blocks of a world, in the order in which a task gets them."""

    blocks: list[pa.RecordBatch]
    schemas: tuple[pa.Schema, ...]


def sent_blocks(
    world: World, task: SliceTask, layout: SpineLayout, most: int, spine: pa.Table
) -> SentBlocks:
    """Return the blocks of rows that come in small batches."""
    stored = stored_rows(world, layout)
    sent = [
        block
        for start in range(0, max(spine.num_rows, stored.num_rows), most)
        for block in (
            *bind_batches(task, layout, iter(spine.slice(start, most).to_batches())),
            *stored_blocks(layout, 1, iter(stored.slice(start, most).to_batches())),
        )
    ]
    together = pa.Table.from_batches(sent).sort_by([(PART, "ascending"), (SOURCE, "descending")])
    kept = [each for each in stored.schema if each.name != SINCE]
    schema = pa.schema([*kept, pa.field(BUCKET, pa.int64())])
    return SentBlocks(together.to_batches(most), (schema,))


def answered(world: World, task: SliceTask, layout: SpineLayout, most: int) -> pa.Table:
    spine = world.spine_table()
    spine = spine.append_column(POSITION, pa.array(range(spine.num_rows), pa.int64()))
    sent = sent_blocks(world, task, layout, most, spine)
    stream = stream_of(task, layout, sent.schemas)
    return pa.Table.from_batches(answer_stream(stream, iter(sent.blocks)))


def require_right(world: World, answers: pa.Table) -> None:
    """Fail unless each spine row has come once, with the reference's answer."""
    answers = answers.sort_by(POSITION)
    assert answers[POSITION].to_pylist() == [*range(len(world.spine))]
    assert wrong_cells(world, reference_answer(world), answers) == []


def world_of(stored: dict[int, int], spine: list[int]) -> World:
    """Return a world with so many stored rows of each card, and a spine with some cards."""
    key = KeyBinding("id", "card", Int64)
    use = ViewQuery(
        "v", keys=(key,), timestamp_field="at", columns=(Column("whole", "whole", Int64),)
    )
    rows = [
        {
            "id": card,
            "event_timestamp": number,
            "available_timestamp": number,
            "whole": number,
            "_row_hash": number,
        }
        for card, count in stored.items()
        for number in range(count)
    ]
    return World(use, [{"card": card, "at": 9} for card in spine], rows)


def stored_rows(world: World, layout: SpineLayout) -> pa.Table:
    """Return the stored rows of a world as Spark reads them for an exchange."""
    [use] = layout.key_set.uses
    rows = world.rows_table()
    for name in (*(key.key for key in use.keys), EVENT_TIME):
        rows = rows.filter(rows[name].is_valid())
    columns = {
        key_name(n): rows[key.key].cast(arrow_type(dtype))
        for n, (key, dtype) in enumerate(zip(ordered_keys(use), layout.key_set.types, strict=True))
    }
    columns[TIME] = rows[EVENT_TIME].cast(pa.int64())
    if layout.hot:
        columns[SINCE] = since(use, rows)
    columns |= {value_name(n): rows[name] for n, name in enumerate(stored_names(use))}
    return pa.table(columns)


def since(use: ViewQuery, rows: pa.Table) -> pa.ChunkedArray:
    """Return the first moment at which each row may change an answer."""
    event = rows[EVENT_TIME].cast(pa.int64())
    visible = pc.add(event, use.rows.available_delay)
    if use.rows.has_available:
        available = rows[AVAILABLE_TIME].cast(pa.int64())
        visible = pc.if_else(available.is_valid(), pc.max_element_wise(event, available), visible)
    is_later = use.strict and is_carried(use)
    return pc.max_element_wise(visible, pc.add(event, 1)) if is_later else visible


def with_spans(key_set: KeySet, hot: HotKey, bound: pa.Table) -> HotKey:
    """Return a hot key with the moments of the spine's rows in its buckets."""
    numbers = bucket_numbers(key_set, [hot], bound, bound)
    [name] = key_set.moments
    moments = bound[name].cast(pa.int64()).to_pylist()
    spans = []
    for bucket in range(1, hot.buckets + 1):
        pairs = zip(moments, numbers, strict=True)
        inside = [at for at, number in pairs if number == bucket and at is not None]
        spans.append(Span(min(inside), max(inside)) if inside else None)
    return replace(hot, spans={name: tuple(_of_equal_buckets(hot, spans))})
