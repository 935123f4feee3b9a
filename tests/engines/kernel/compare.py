"""Comparing the kernel's answer with the reference's, cell by cell."""

import pyarrow as pa
import pytest

from featurestore.engines import reference
from featurestore.engines.kernel import answer_view
from featurestore.errors import FeatureStoreError
from tests.engines.kernel.worlds import World

Expected = dict[str, list[object]]


def check(world: World) -> None:
    """Compare every cell."""
    try:
        expected = reference.answer(world.query, world.spine, world.rows)
    except reference.IntegerOverflowError as overflow:
        with pytest.raises(FeatureStoreError, match=f"feature '{overflow}'"):
            answer_view(world.query, world.spine_table(), world.rows_table())
        return
    answer = answer_view(world.query, world.spine_table(), world.rows_table())
    assert answer.column_names == list(world.query.outputs)
    assert wrong_cells(world, expected, answer) == []


def wrong_cells(world: World, expected: Expected, answer: pa.Table) -> list[str]:
    """Return each cell of an answer that is not the reference's, in words."""
    wrong = []
    for feature in world.query.features:
        found = answer[feature.output].to_pylist()
        for asked, want, got in zip(world.spine, expected[feature.output], found, strict=True):
            bound = reference.bound_of(world.query, feature, asked, world.rows)
            if not reference.agree(want, got, bound):
                wrong.append(f"{feature} at {asked}: {want!r} wanted, {got!r} found (+- {bound})")
    return wrong
