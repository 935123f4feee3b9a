"""Comparing the kernel's answer with the oracle's, cell by cell."""

import datetime as dt
import math

import pytest

from featurestore.definitions.types import FLOATS, Map
from featurestore.engines.kernel import answer_view
from featurestore.errors import FeatureStoreError
from featurestore.query.nodes import Aggregate, ViewQuery
from tests import oracle
from tests.engines.kernel.worlds import World

COMPUTED = ("sum", "mean", "variance", "stddev", "percentile")


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
            bound = bound_of(world.query, feature, asked, world.rows)
            assert agree(want, got, bound), (feature, asked, want, got, bound)


def bound_of(query: ViewQuery, feature: object, asked: dict, rows: list[dict]) -> float:
    """Return how far a float aggregate may be off: 1e-9 of the window's greatest size.

    A variance is of squares, so of the greatest square. Nothing is nearer than the least floats.
    """
    computed = isinstance(feature, Aggregate) and feature.function in COMPUTED
    result = feature.result.value if isinstance(feature.result, Map) else feature.result
    if not computed or result not in FLOATS or asked[query.timestamp_field] is None:
        return 0.0
    existing = oracle.existing_rows(query, asked, rows)
    moment = asked[query.timestamp_field]
    values = [float(value) for value in oracle.window_values(query, feature, moment, existing)]
    greatest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    greatest *= greatest if feature.function == "variance" else 1.0
    return max(1e-9 * greatest, 2 * math.ulp(0.0))


def agree(want: object, got: object, bound: float) -> bool:
    """Return whether a cell is right."""
    if want is None or got is None:
        return want is got
    if isinstance(want, list | tuple):
        return len(want) == len(got) and all(map(agree, want, got, [bound] * len(want)))
    if isinstance(want, float) and math.isnan(want):
        return isinstance(got, float) and math.isnan(got)
    if isinstance(want, float) and math.isfinite(want) and bound:
        return abs(want - got) <= bound
    if isinstance(want, dt.datetime):
        return got.astimezone(dt.UTC) == want
    return want == got
