"""Comparing the kernel's answer with the oracle's, cell by cell."""

import pytest

from featurestore.engines.kernel import answer_view
from featurestore.errors import FeatureStoreError
from tests import oracle
from tests.engines.kernel.worlds import World


def check(world: World) -> None:
    """Compare every cell."""
    try:
        expected = oracle.answer(world.query, world.spine, world.rows)
    except oracle.IntegerOverflowError as overflow:
        with pytest.raises(FeatureStoreError, match=f"feature '{overflow}'"):
            answer_view(world.query, world.spine_table(), world.rows_table())
        return
    answer = answer_view(world.query, world.spine_table(), world.rows_table())
    assert answer.column_names == list(world.query.outputs)
    for feature in (*world.query.columns, *world.query.aggregates):
        found = answer[feature.output].to_pylist()
        for asked, want, got in zip(world.spine, expected[feature.output], found, strict=True):
            bound = oracle.bound_of(world.query, feature, asked, world.rows)
            assert oracle.agree(want, got, bound), (feature, asked, want, got, bound)
