"""The report of a world with wrong answers shows a small world and the engine at fault."""

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, find, settings

from tests.engines.kernel.worlds import World
from tests.laws.report import by_kernel, errors, failure_text
from tests.laws.samples import Sample, queries, samples, stored_row, world_of
from tests.laws.shapes import SHAPES

REVISED = next(shape for shape in SHAPES if shape.name == "revised")


@pytest.fixture(scope="module")
def world() -> World:
    """A world of several rows and spine rows, some with an answer."""
    sample = find(
        samples(REVISED),
        lambda each: (
            len(each.rows) > 5 and len(each.spine) > 3 and bool(errors(all_null, of(each)))
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


def test_if_all_other_engines_are_right_the_report_shows_the_world_of_spark(world: World) -> None:
    text = failure_text(world, ["a wrong cell"])

    assert "a wrong cell" in text
    assert "1 wrong cells" in text
    assert "without Spark" in text
    assert text.count("\nspine ") == len(world.spine)


def test_if_another_engine_is_wrong_the_report_shows_its_smallest_world(world: World) -> None:
    wrong = errors(all_null, world)

    text = failure_text(world, wrong, {"kernel": by_kernel, "all_null": all_null})

    assert f"{len(wrong)} wrong cells" in text
    assert "all_null" in text
    assert "without Spark" not in text
    assert text.count("\nspine ") == 1
    # The number of rows depends on the world from Hypothesis.
    assert 1 <= text.count("\nrow ") < len(world.rows)


def all_null(world: World) -> pa.Table:
    """Answer every cell with null."""
    right = by_kernel(world)
    nulls = [pa.nulls(right.num_rows, column.type) for column in right.columns]
    return pa.table(nulls, right.schema)
