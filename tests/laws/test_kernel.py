"""What changes no bit: the order of rows, rows of others or of the future, and pieces."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.engines.kernel import answer_view, slices, winning_rows
from featurestore.errors import FeatureStoreError
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
    moments = sorted(asked["at"] for asked in world.spine if asked["at"] is not None)
    if not moments or world.query.rows.unique_by:
        return
    now = moments[len(moments) // 2]
    past = [row for row in world.rows if (row["event_timestamp"] or 0) <= now]
    spine = [asked for asked in world.spine if asked["at"] is not None and asked["at"] <= now]

    assert answer(world.query, spine, past) == answer(world.query, spine, world.rows)


@given(worlds())
@examples(100)
def test_a_spine_row_is_answered_as_if_it_were_alone(world: World) -> None:
    together = answer(world.query, world.spine, world.rows)
    alone = [answer(world.query, [asked], world.rows) for asked in world.spine]
    if "overflow" in (together, *alone):
        return

    assert together == [row for one in alone for row in one]


@given(worlds(aggregates=True))
@examples(100)
def test_answering_in_pieces_changes_nothing(world: World) -> None:
    expected = answer(world.query, world.spine, world.rows)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slices, "AT_ONCE", 2)
        assert answer(world.query, world.spine, world.rows) == expected


@given(worlds(aggregates=False))
@examples(100)
def test_the_winning_row_holds_every_value_that_is_not_null(world: World) -> None:
    rows = rows_table(world.query, world.rows)
    spine = spine_table(world.query, world.spine)
    answers = answer_view(world.query, spine, rows)
    winners = winning_rows(world.query, spine, rows)

    for feature in world.query.columns:
        for got, at in zip(answers[feature.output], winners.tolist(), strict=True):
            if got.is_valid:
                assert str(got) == str(rows[feature.column][at])


def answer(query: object, spine: list[dict], rows: list[dict]) -> object:
    """Return the answer's rows as text, which tells every bit and lets NaN equal NaN."""
    try:
        table = answer_view(query, spine_table(query, spine), rows_table(query, rows))
    except FeatureStoreError:
        return "overflow"
    return list(map(repr, table.to_pylist()))
