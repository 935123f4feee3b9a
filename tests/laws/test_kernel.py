"""What changes no bit: the order of rows, rows of other keys or of the future, and pieces."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from featurestore.engines.kernel import answer_view, slices
from featurestore.errors import SumOverflowError
from featurestore.query.nodes import ViewQuery
from tests.effort import examples
from tests.engines.kernel.worlds import World, rows_table, spine_table, worlds


@given(worlds(), st.randoms(use_true_random=False))
@examples(100)
def test_shuffling_rows_changes_nothing(world: World, random: object) -> None:
    shuffled = list(world.rows)
    random.shuffle(shuffled)

    assert answer(world.query, world.spine, shuffled) == answer(
        world.query, world.spine, world.rows
    )


@given(worlds())
@examples(100)
def test_rows_of_the_future_change_nothing_before_them(world: World) -> None:
    moments = sorted(row["at"] for row in world.spine if row["at"] is not None)
    assume(moments)
    now = moments[len(moments) // 2]
    past = [
        row
        for row in world.rows
        if row["event_timestamp"] is None or row["event_timestamp"] <= now
    ]
    spine = [row for row in world.spine if row["at"] is not None and row["at"] <= now]

    assert answer(world.query, spine, past) == answer(world.query, spine, world.rows)


@given(worlds())
@examples(100)
def test_a_spine_row_is_answered_as_if_it_were_alone(world: World) -> None:
    together = answer(world.query, world.spine, world.rows)
    alone = [answer(world.query, [row], world.rows) for row in world.spine]

    overflows = [each for each in alone if isinstance(each, str)]
    if overflows:
        assert together in overflows
    else:
        assert together == [row for one in alone for row in one]


@given(worlds(aggregates=True))
@examples(100)
def test_answering_in_pieces_changes_nothing(world: World) -> None:
    expected = answer(world.query, world.spine, world.rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices, "AT_ONCE", 2)
        in_pieces = answer(world.query, world.spine, world.rows)

    # With several overflows, the one that is met first depends on the pieces.
    assert isinstance(in_pieces, str) == isinstance(expected, str)
    assert isinstance(expected, str) or in_pieces == expected


def answer(query: ViewQuery, spine: list[dict], rows: list[dict]) -> list[str] | str:
    """Return the answer's rows as text, so that each bit counts and NaN equals NaN.

    Where a sum overflows, it is the error's text.
    """
    try:
        table = answer_view(query, spine_table(query, spine), rows_table(query, rows))
    except SumOverflowError as error:
        return str(error)
    return list(map(repr, table.to_pylist()))
