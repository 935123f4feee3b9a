"""Local, scan and shuffle beside the reference: hundreds of generated worlds in one Spark job."""

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import settings

from featurestore.engines.bind import bind
from featurestore.engines.retrieval.answer import answer
from featurestore.engines.spark.retrieve.arrow_frame import spark_frame
from featurestore.engines.spark.retrieve.exchange.sizes import Sizes
from featurestore.engines.spark.retrieve.scan import scan
from featurestore.engines.spark.retrieve.shuffle import shuffle
from featurestore.engines.spark.session.child import own_session
from tests.effort import is_soak
from tests.laws.samples import Sample
from tests.laws.shapes import SHAPES
from tests.laws.test_spark_worlds import draw
from tests.parity.project import POSITION, Project

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

WORLDS = settings().max_examples * 2 // 5
"""The number of worlds of each shape."""

SMALLEST = Sizes(2, parts=20, rows_per_bucket=1)
"""Each key with three rows is divided by time, and tasks have many parts."""

pytestmark = pytest.mark.hypothesis  # so that a soak takes them along


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Project:
    number = int(request.config.getoption("--hypothesis-seed") or 0)
    samples = {shape.name: draw(shape, number, WORLDS) for shape in SHAPES}
    made = Project(tmp_path_factory.mktemp("parity"), samples)
    made.write()
    return made


@pytest.fixture(scope="module")
def session(spark: "SparkSession") -> "SparkSession":
    return own_session(spark)


def test_the_engine_in_process_answers_as_the_reference(project: Project) -> None:
    spine = bind(project.query, project.spine_table(), null_times="keep")

    answers = answer(project.query, spine, project.snapshots)

    project.require_right(answers)


def test_the_scan_answers_as_the_reference(project: Project, session: "SparkSession") -> None:
    spine = spark_frame(session, project.spine_table())

    rows = scan(spine, project.task, by=["spine_id", "moment"], tasks=3)

    project.require_right(in_order(project, rows))


def test_the_shuffle_answers_as_the_reference(project: Project, session: "SparkSession") -> None:
    spine = spark_frame(session, project.spine_table())

    planned = shuffle(project.task, spine, tables(project, session), snapshots=project.snapshots)

    assert [len(exchange.hot) for exchange in planned.exchanges] == [0, 0, 0]
    project.require_right(in_order(project, planned.rows))


def test_the_shuffle_of_divided_keys_answers_as_the_reference(
    project: Project, session: "SparkSession"
) -> None:
    some = project if is_soak() else replace(project, samples=divided_samples(project))
    spine = spark_frame(session, some.spine_table())

    planned = shuffle(
        some.task, spine, tables(some, session), snapshots=some.snapshots, sizes=SMALLEST
    )

    assert sum(len(exchange.hot) for exchange in planned.exchanges) > 10
    some.require_right(in_order(some, planned.rows))


def divided_samples(project: Project) -> dict[str, list[Sample]]:
    """Return the worlds of a shape for each way to divide a key, all with the same keys.

    The winning row is carried to later buckets, revisions go to all of them, and rows of windows
    to those that their windows reach.
    """
    return {name: project.samples[name] for name in ("late", "revised", "rolling")}


def tables(project: Project, session: "SparkSession") -> "dict[str, DataFrame]":
    """Return the stored rows of each shape, as Spark reads them."""
    reader = session.read.format("delta")
    return {shape.name: reader.load(project.table(shape)) for shape in project.shapes}


def in_order(project: Project, rows: "DataFrame") -> pa.Table:
    """Return finished rows in the spine's order; each spine row comes once."""
    answers = rows.toArrow().sort_by(POSITION)
    assert answers[POSITION].to_pylist() == [*range(len(project.spine))]
    return answers
