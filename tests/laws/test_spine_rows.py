"""Changes of the spine and of the query that change no bit of an answer.

The engine in process answers from Delta tables.
"""

from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from featurestore.definitions.model.types import String
from featurestore.query.compile import compile_reference
from featurestore.query.nodes import ViewQuery
from tests.effort import examples
from tests.engines.kernel.worlds import World, worlds
from tests.laws.answers import NUMBER, OVERFLOW, answers_from_table, answers_of, tables
from tests.laws.samples import SPINE_TIME, Sample, queries, samples, spine_table
from tests.laws.shapes import SHAPES, Shape

pytestmark = pytest.mark.slow  # each law writes hundreds of tables

MOMENT = pa.timestamp("us", "UTC")
ShapeAndSample = tuple[Shape, Sample]


@st.composite
def shaped(draw: st.DrawFn) -> ShapeAndSample:
    """Generate a shape, and a world of it."""
    shape = draw(st.sampled_from(SHAPES))
    return shape, draw(samples(shape))


@given(worlds(), st.data())
@examples(40)
def test_answers_follow_the_order_and_the_repetition_of_spine_rows(
    world: World, data: st.DataObject
) -> None:
    rows = st.integers(0, len(world.spine) - 1)
    positions = data.draw(st.lists(rows, max_size=20)) if world.spine else []
    expected = answers_from_table(world)
    assume(expected != OVERFLOW)

    answers = answers_from_table(replace(world, spine=[world.spine[at] for at in positions]))

    assert answers == [expected[at] for at in positions]


@given(worlds(), st.integers(1, 20))
@examples(40)
def test_chunks_of_any_size_give_the_same_bits(world: World, rows_per_chunk: int) -> None:
    in_chunks = answers_from_table(world, commits=2, row_group=1, rows_per_chunk=rows_per_chunk)

    assert in_chunks == answers_from_table(world)


@given(shaped())
@examples(40)
def test_a_moment_from_another_time_column_is_the_same_moment(case: ShapeAndSample) -> None:
    shape, sample = case
    spine = spine_of(shape, sample)
    moved = renamed(spine, {SPINE_TIME: "first_seen"})
    both_times = moved.append_column(SPINE_TIME, pa.nulls(spine.num_rows, MOMENT))
    at_first = [compile_reference(use.at("first_seen"), SPINE_TIME) for use in shape.uses]
    by_other_name = [compile_reference(use, "first_seen") for use in shape.uses]

    with tables({shape: sample}) as table:
        expected = answers_of(queries(shape), spine, table)
        assert answers_of(at_first, both_times, table) == expected
        assert answers_of(by_other_name, moved, table) == expected


@given(shaped())
@examples(40)
def test_keys_from_columns_of_other_names_are_the_same_keys(case: ShapeAndSample) -> None:
    shape, sample = case
    spine = spine_of(shape, sample)
    names = {key.name: f"payer {key.name}" for key in shape.view.join_keys}
    moved = renamed(spine, {f"spine_{key}": name for key, name in names.items()})
    uses = [compile_reference(use.with_join_keys(names), SPINE_TIME) for use in shape.uses]

    with tables({shape: sample}) as table:
        assert answers_of(uses, moved, table) == answers_of(queries(shape), spine, table)


@given(shaped(), st.sampled_from([pa.large_string(), pa.string_view(), None]))
@examples(40)
def test_text_and_times_of_any_type_and_an_unused_column_change_nothing(
    case: ShapeAndSample, kind: pa.DataType | None
) -> None:
    shape, sample = case
    spine = spine_of(shape, sample)
    other = spine.append_column("more", pa.array([[0]] * spine.num_rows, pa.list_(pa.int8())))
    for key in shape.view.join_keys:
        name = f"spine_{key.name}"
        if key.dtype == String:
            words = other[name].dictionary_encode() if kind is None else other[name].cast(kind)
            other = replaced(other, name, words)
    other = replaced(
        other, SPINE_TIME, other[SPINE_TIME].cast(pa.timestamp("ns", "Asia/Kathmandu"))
    )

    with tables({shape: sample}) as table:
        assert answers_of(queries(shape), other, table) == answers_of(queries(shape), spine, table)


@given(st.tuples(*(samples(shape) for shape in SHAPES)))
@examples(15)
def test_several_views_together_answer_as_each_alone(all_samples: tuple[Sample, ...]) -> None:
    worlds = dict(zip(SHAPES, all_samples, strict=True))
    spines = [spine_of(shape, sample) for shape, sample in worlds.items()]
    spine = pa.concat_tables(spines, promote_options="default")
    prefixed = {shape: prefixed_queries(shape) for shape in SHAPES}

    with tables(worlds) as table:
        together = answers_of(
            [query for uses in prefixed.values() for query in uses], spine, table
        )
        alone = [answers_of(uses, spine, table) for uses in prefixed.values()]

    assert together == {name: cells for each in alone for name, cells in each.items()}


def spine_of(shape: Shape, sample: Sample) -> pa.Table:
    """Return a world's spine."""
    return spine_table(shape, [(NUMBER, row) for row in sample.spine])


def prefixed_queries(shape: Shape) -> list[ViewQuery]:
    """Return the queries of the shape's uses, with feature names of the shape's own."""
    uses = [use.with_prefix(f"{shape.name}_{use.prefix}") for use in shape.uses]
    return [compile_reference(use, SPINE_TIME) for use in uses]


def renamed(table: pa.Table, names: dict[str, str]) -> pa.Table:
    """Return a table with some columns under other names."""
    return table.rename_columns([names.get(name, name) for name in table.column_names])


def replaced(table: pa.Table, name: str, column: pa.ChunkedArray) -> pa.Table:
    """Return a table with other values in one column."""
    return table.set_column(table.column_names.index(name), name, column)
