"""The rows that are valid at a moment are the reference's, without tombstones."""

from hypothesis import given
from hypothesis import strategies as st

from featurestore.engines import reference
from featurestore.engines.kernel.exists_at import positions_valid_at
from tests.effort import examples
from tests.engines.kernel.worlds import World, worlds


@given(worlds(), st.integers(-16, 40))
@examples(100)
def test_valid_rows_are_those_of_the_reference(world: World, moment: int) -> None:
    positions = positions_valid_at(world.query, world.rows_table(), moment).to_pylist()

    assert len(set(positions)) == len(positions)
    assert set(positions) == {
        n for n, row in enumerate(world.rows) if is_valid(world, row, moment)
    }


def is_valid(world: World, row: dict, moment: int) -> bool:
    spine_row = {key.spine_column: row[key.key] for key in world.query.keys} | {"at": moment}
    if not reference.is_answerable(world.query, spine_row):
        return False
    if reference.is_tombstone(world.query, row):
        return False
    return any(each is row for each in reference.valid_rows(world.query, spine_row, world.rows))
