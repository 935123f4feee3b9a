"""The rows that exist as of a moment are the reference's, tombstones left out."""

from hypothesis import given
from hypothesis import strategies as st

from featurestore.engines import reference
from featurestore.engines.kernel.exists_at import existing_at
from tests.effort import examples
from tests.engines.kernel.worlds import World, worlds


@given(worlds(), st.integers(-16, 40))
@examples(100)
def test_existing_rows_are_the_oracle_s(world: World, moment: int) -> None:
    found = existing_at(world.query, world.rows_table(), moment).to_pylist()

    assert len(set(found)) == len(found)
    assert set(found) == {n for n, row in enumerate(world.rows) if exists(world, row, moment)}


def exists(world: World, row: dict, moment: int) -> bool:
    asked = {key.spine_column: row[key.key] for key in world.query.keys} | {"at": moment}
    if not reference.is_answerable(world.query, asked) or reference.is_tombstone(world.query, row):
        return False
    return any(each is row for each in reference.existing_rows(world.query, asked, world.rows))
