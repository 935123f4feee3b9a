"""Compares the kernel's answers with the reference, cell by cell."""

import pyarrow as pa
import pytest

from featurestore.engines import reference
from featurestore.engines.kernel import answer_view
from featurestore.errors import SumOverflowError
from tests.engines.kernel.worlds import World

Expected = dict[str, list[object]]


def check(world: World) -> None:
    """Compare every cell; where the reference overflows, the kernel must refuse that feature."""
    try:
        expected = reference.answer(world.query, world.spine, world.rows)
    except reference.IntegerOverflowError as overflow:
        with pytest.raises(SumOverflowError) as error:
            answer_view(world.query, world.spine_table(), world.rows_table())
        assert f"feature '{overflow}'" in error.value.call
        return
    answer = answer_view(world.query, world.spine_table(), world.rows_table())
    assert answer.column_names == list(world.query.outputs)
    assert wrong_cells(world, expected, answer) == []


def wrong_cells(world: World, expected: Expected, answer: pa.Table) -> list[str]:
    """Return a line for each cell that does not agree with the reference."""
    query, wrong = world.query, []
    for feature in query.features:
        values = answer[feature.output].to_pylist()
        for spine_row, want, got in zip(
            world.spine, expected[feature.output], values, strict=True
        ):
            answerable = reference.is_answerable(query, spine_row)
            valid = reference.valid_rows(query, spine_row, world.rows) if answerable else []
            bound = reference.error_bound(query, feature, spine_row, valid)
            if not reference.agree(want, got, bound):
                wrong.append(f"{feature} at {spine_row}: {want!r} expected, {got!r} (+- {bound})")
    return wrong
