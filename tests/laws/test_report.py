"""A world that Spark answered wrongly is told small, with whose fault it may be."""

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, find, settings

from tests.engines.kernel.worlds import World
from tests.laws.report import by_kernel, errors, told
from tests.laws.samples import Sample, queries, samples, stored_row, world_of
from tests.laws.shapes import SHAPES

REVISED = next(shape for shape in SHAPES if shape.name == "revised")


@pytest.fixture(scope="module")
def world() -> World:
    """A world of several rows and questions, some of which have an answer."""
    sample = find(
        samples(REVISED),
        lambda drawn: (
            len(drawn.rows) > 5 and len(drawn.spine) > 3 and bool(errors(forgetful, of(drawn)))
        ),
        settings=settings(
            max_examples=2000,
            phases=[Phase.generate],
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    return of(sample)


def of(sample: Sample) -> World:
    stored = [stored_row(REVISED.view, 7, row) for row in sample.rows]
    return world_of(queries(REVISED)[0], 7, [*sample.spine], [row for row in stored if row])


def test_where_all_others_are_right_spark_is_blamed_and_the_world_told(world: World) -> None:
    text = told(world, ["a wrong cell"])

    assert "a wrong cell" in text
    assert "1 wrong cells; without Spark the same rows are answered rightly" in text
    assert text.count("\nspine ") == len(world.spine)


def test_where_another_engine_is_wrong_too_its_least_world_is_told(world: World) -> None:
    wrong = errors(forgetful, world)

    text = told(world, wrong, {"kernel": by_kernel, "forgetful one": forgetful})

    assert f"{len(wrong)} wrong cells; the forgetful one is wrong too" in text
    assert text.count("\nspine ") == 1
    # How few rows are least depends on the world that Hypothesis found.
    assert 1 <= text.count("\nrow ") < len(world.rows)


def forgetful(world: World) -> pa.Table:
    """Answer nothing at all."""
    right = by_kernel(world)
    nulls = [pa.nulls(right.num_rows, column.type) for column in right.columns]
    return pa.table(nulls, right.schema)
