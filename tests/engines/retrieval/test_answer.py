"""The engine in process answers as the reference does, for any files and chunks."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from featurestore.engines import reference
from featurestore.errors import SumOverflowError
from tests.effort import examples
from tests.engines.kernel.compare import wrong_cells
from tests.engines.kernel.worlds import World, worlds
from tests.engines.stored_world import MANY, ask_world, write_world


@given(worlds(), st.integers(1, 3), st.sampled_from([1, 3, MANY]))
@examples(60)
def test_answers_equal_the_reference_for_any_files_and_chunks(
    world: World, commits: int, rows_per_chunk: int
) -> None:
    try:
        expected = reference.answer(world.query, world.spine, world.rows)
    except reference.IntegerOverflowError:
        expected = None
    with tempfile.TemporaryDirectory() as folder:
        snapshot = write_world(world, Path(folder) / "table", commits=commits)
        try:
            answers = ask_world(world, snapshot, rows_per_chunk)
        except SumOverflowError:
            answers = None

    assert (answers is None) == (expected is None)
    if expected is not None:
        assert wrong_cells(world, expected, answers) == []
