"""What may happen to the spine, and to how it is asked, without changing one bit of an answer.

All of it is asked of the engine in process, from real Delta tables.
"""

from dataclasses import replace

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from featurestore.definitions.model.types import String
from featurestore.query.compile import compile_reference
from featurestore.query.nodes import ViewQuery
from tests.effort import examples
from tests.engines.kernel.worlds import World, worlds
from tests.laws.answers import NUMBER, OVERFLOW, answered, ask, tables
from tests.laws.samples import ASKED, Sample, queries, samples, spine_table
from tests.laws.shapes import SHAPES, Shape

MOMENT = pa.timestamp("us", "UTC")
Drawn = tuple[Shape, Sample]


@st.composite
def shaped(draw: st.DrawFn) -> Drawn:
    """Draw a shape, and a world of it."""
    shape = draw(st.sampled_from(SHAPES))
    return shape, draw(samples(shape))


@given(worlds(), st.data())
@examples(40)
def test_answers_move_with_their_spine_rows_and_double_with_them(
    world: World, data: st.DataObject
) -> None:
    rows = st.integers(0, len(world.spine) - 1)
    places = data.draw(st.lists(rows, max_size=20)) if world.spine else []
    alone = answered(world)

    found = answered(replace(world, spine=[world.spine[place] for place in places]))

    if alone != OVERFLOW:
        assert found == [alone[place] for place in places]


@given(worlds(), st.integers(1, 20))
@examples(40)
def test_chunks_of_any_size_give_the_same_bits(world: World, rows_per_chunk: int) -> None:
    found = answered(world, commits=2, row_group=1, rows_per_chunk=rows_per_chunk)

    assert found == answered(world)


@given(shaped())
@examples(40)
def test_a_moment_from_another_time_column_is_the_same_moment(drawn: Drawn) -> None:
    shape, sample = drawn
    spine = spine_of(shape, sample)
    moved = renamed(spine, {ASKED: "first_seen"})
    append_columns = moved.append_column(ASKED, pa.nulls(spine.num_rows, MOMENT))
    at_first = [compile_reference(use.at("first_seen"), ASKED) for use in shape.uses]
    asked_so = [compile_reference(use, "first_seen") for use in shape.uses]

    with tables({shape: sample}) as table:
        expected = ask(queries(shape), spine, table)
        assert ask(at_first, append_columns, table) == expected
        assert ask(asked_so, moved, table) == expected


@given(shaped())
@examples(40)
def test_keys_from_columns_of_other_names_are_the_same_keys(drawn: Drawn) -> None:
    shape, sample = drawn
    spine = spine_of(shape, sample)
    names = {key.name: f"payer {key.name}" for key in shape.view.join_keys}
    moved = renamed(spine, {f"asked_{key}": name for key, name in names.items()})
    uses = [compile_reference(use.with_join_keys(names), ASKED) for use in shape.uses]

    with tables({shape: sample}) as table:
        assert ask(uses, moved, table) == ask(queries(shape), spine, table)


@given(shaped(), st.sampled_from([pa.large_string(), pa.string_view(), None]))
@examples(40)
def test_text_and_times_of_any_kind_and_a_column_that_nobody_asks_change_nothing(
    drawn: Drawn, kind: pa.DataType | None
) -> None:
    shape, sample = drawn
    spine = spine_of(shape, sample)
    other = spine.append_column("more", pa.array([[0]] * spine.num_rows, pa.list_(pa.int8())))
    for key in shape.view.join_keys:
        name = f"asked_{key.name}"
        if key.dtype == String:
            words = other[name].dictionary_encode() if kind is None else other[name].cast(kind)
            other = replaced(other, name, words)
    other = replaced(other, ASKED, other[ASKED].cast(pa.timestamp("ns", "Asia/Kathmandu")))

    with tables({shape: sample}) as table:
        assert ask(queries(shape), other, table) == ask(queries(shape), spine, table)


@given(st.tuples(*(samples(shape) for shape in SHAPES)))
@examples(15)
def test_views_asked_together_answer_as_each_alone(drawn: tuple[Sample, ...]) -> None:
    worlds = dict(zip(SHAPES, drawn, strict=True))
    spines = [spine_of(shape, sample) for shape, sample in worlds.items()]
    spine = pa.concat_tables(spines, promote_options="default")
    prefixed = {shape: prefixed_queries(shape) for shape in SHAPES}

    with tables(worlds) as table:
        found = ask([query for uses in prefixed.values() for query in uses], spine, table)
        alone = [ask(uses, spine, table) for uses in prefixed.values()]

    assert found == {name: cells for each in alone for name, cells in each.items()}


def spine_of(shape: Shape, sample: Sample) -> pa.Table:
    """Return a world's spine."""
    return spine_table(shape, [(NUMBER, row) for row in sample.spine])


def prefixed_queries(shape: Shape) -> list[ViewQuery]:
    """Return what the shape's uses ask, with names that are the shape's own."""
    uses = [use.with_prefix(f"{shape.name}_{use.prefix}") for use in shape.uses]
    return [compile_reference(use, ASKED) for use in uses]


def renamed(table: pa.Table, names: dict[str, str]) -> pa.Table:
    """Return a table with some columns under other names."""
    return table.rename_columns([names.get(name, name) for name in table.column_names])


def replaced(table: pa.Table, name: str, column: pa.ChunkedArray) -> pa.Table:
    """Return a table with other values in one column."""
    return table.set_column(table.column_names.index(name), name, column)
