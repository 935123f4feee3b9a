"""Training sets on Ray Data beside the engine in process and the reference."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import settings

from featurestore.errors import NotFoundError, SpineError
from tests.client.conftest import filled, session, store  # noqa: F401 - fixtures
from tests.client.shop import at
from tests.laws.shapes import SHAPES
from tests.laws.test_spark_worlds import draw
from tests.parity.project import POSITION, Project

pytestmark = [
    pytest.mark.integration,
    # Ray warns of its own defaults.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
ray = pytest.importorskip("ray")

from featurestore.integrations import ray_data  # noqa: E402 - needs Ray

WORLDS = settings().max_examples * 2 // 5
FEATURES = ["activity", "rate"]
ROWS = [
    {"id": number % 2 + 1, "event_timestamp": at(1.5 + number % 4), "y": number}
    for number in range(40)
]


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    ray.init(num_cpus=2, include_dashboard=False, object_store_memory=200_000_000)
    yield
    ray.shutdown()


def in_order(dataset, column: str) -> pa.Table:
    return pa.concat_tables(ray.get(dataset.to_arrow_refs())).sort_by(column)


def test_all_worlds_have_the_answers_of_the_reference(tmp_path: Path) -> None:
    samples = {shape.name: draw(shape, 0, WORLDS) for shape in SHAPES}
    project = Project(tmp_path, samples)
    project.write()
    spine = ray.data.from_arrow(project.spine_table()).repartition(3)

    rows = ray_data.answer_dataset(project.task, spine, ("spine_id", "moment"))

    answers = in_order(rows, POSITION)
    assert answers[POSITION].to_pylist() == [*range(len(project.spine))]
    project.require_right(answers)


def test_a_training_set_equals_that_of_the_engine_in_process(filled) -> None:  # noqa: F811
    local = filled.get_training_set(FEATURES, ROWS, label="y").to_arrow()
    spine = ray.data.from_arrow(pa.Table.from_pylist(ROWS))

    rows = ray_data.get_training_set(filled, FEATURES, spine, label="y")

    assert in_order(rows, "y").to_pylist() == local.to_pylist()


def test_a_spine_without_rows_has_the_columns_of_the_answer(filled) -> None:  # noqa: F811
    none = pa.Table.from_pylist(ROWS).slice(0, 0)
    local = filled.get_training_set(FEATURES, none, label="y").to_arrow()

    rows = ray_data.get_training_set(filled, FEATURES, ray.data.from_arrow(none), label="y")

    assert rows.count() == 0
    assert rows.schema().names == local.column_names


def test_an_unknown_feature_a_missing_column_and_a_local_table_are_refused(filled) -> None:  # noqa: F811
    spine = ray.data.from_arrow(pa.Table.from_pylist(ROWS))

    with pytest.raises(NotFoundError) as unknown:
        ray_data.get_historical_features(filled, ["activty"], spine)
    with pytest.raises(SpineError) as missing:
        ray_data.get_historical_features(filled, FEATURES, spine.drop_columns(["id"]))
    with pytest.raises(SpineError) as local:
        ray_data.get_historical_features(filled, FEATURES, pa.Table.from_pylist(ROWS))

    assert "activity" in unknown.value.fix
    assert "'id'" in missing.value.found
    assert "ray.data.from_arrow" in local.value.fix
