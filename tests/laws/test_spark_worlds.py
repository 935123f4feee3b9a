"""Spark against the reference: many generated worlds in one job, each under its own number.

Spark stores the rows of all worlds of a shape in one table, as two batches. Three things are
compared with the reference, world by world: the stored rows, the `latest` tables that Spark tasks
compute, and the answers of the engine in process from the stored tables.
``HYPOTHESIS_PROFILE=soak`` generates more worlds, ``--hypothesis-seed=7`` others.
"""

import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import HealthCheck, Phase, given, seed, settings

from featurestore.client.arrow_rows import plain
from featurestore.definitions import rules
from featurestore.definitions.model.manifest import Manifest
from featurestore.engines import reference
from featurestore.engines.bind import bind
from featurestore.engines.retrieval.answer import answer
from featurestore.engines.spark.session.child import own_session
from featurestore.engines.spark.write.batch import Target, write_batch
from featurestore.engines.spark.write.latest import refresh
from featurestore.jobs.materialize.job import Job, RunResult
from featurestore.jobs.materialize.start import materialize
from featurestore.query.compile import compile_view
from featurestore.query.nodes import Query
from featurestore.store.columns import AVAILABLE_TIME, EVENT_TIME, ROW_HASH
from featurestore.store.delta.snapshot import open_snapshot
from featurestore.store.layout import Layout
from featurestore.times import from_micros
from tests.engines.kernel.compare import wrong_cells
from tests.engines.kernel.worlds import World
from tests.engines.spark.positions import begun
from tests.laws.report import failure_text
from tests.laws.samples import (
    SECOND,
    SPINE_TIME,
    Sample,
    queries,
    samples,
    source_table,
    spine_table,
    stored_row,
    world_of,
)
from tests.laws.shapes import SHAPES, Shape

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).parents[2]
HALVES = "halves"
ROWS_PER_FILE = 100
WORLDS = settings().max_examples * 2 // 5
"""The number of worlds of each shape."""

pytestmark = pytest.mark.hypothesis  # so that a soak takes them along
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
Stored = dict[int, list[dict]]


@dataclass(frozen=True)
class Project:
    """A folder with the shapes' sources and feature tables, and their generated worlds."""

    folder: Path
    spark: "SparkSession"
    samples: dict[str, list[Sample]]

    @property
    def layout(self) -> Layout:
        return Layout(str(self.folder / "store"), folder=self.folder)

    @property
    def materialized(self) -> Layout:
        """The store of the whole job. The tables of the other one are in no ledger."""
        return Layout(str(self.folder / "materialized"), folder=self.folder)

    def source(self, shape: Shape, half: int) -> pa.Table:
        """Return every other row of every world."""
        return source_table(
            shape,
            [
                (world, row)
                for world, sample in enumerate(self.samples[shape.name])
                for row in sample.rows[half::2]
            ],
        )

    def write(self, shape: Shape, table_id: str, batch: int, *sources: pa.Table) -> None:
        """Store a batch of source rows as materialization does."""
        target = Target(
            "run",
            table_id=table_id,
            generation=0,
            table=self.table(shape, table_id),
            checkpoint=begun(str(self.folder / "begun"), batch + 1),
            source="source",
            quarantine=str(self.folder / "quarantine" / shape.name / table_id),
            staging=str(self.folder / "staging"),
            started_at=from_micros(0),
            rows_per_file=ROWS_PER_FILE,
        )
        path = self.part(shape, table_id, batch)
        pq.write_table(pa.concat_tables(sources), path)
        write_batch(shape.view, target, self.spark.read.parquet(str(path)), batch)

    def part(self, shape: Shape, table_id: str, batch: int) -> Path:
        """Return the path of a batch's source rows."""
        return self.folder / f"{shape.name}_{table_id}_{batch}.parquet"

    def table(self, shape: Shape, table_id: str = HALVES) -> str:
        """Return the address of a feature table of the shape."""
        return self.layout.features(shape.name, table_id)

    def stored(self, shape: Shape, table_id: str = HALVES) -> Stored:
        """Return the stored rows of every world."""
        return by_world(pa.table(DeltaTable(self.table(shape, table_id)).scan()))

    def materialize(self, shape: Shape, half: int) -> RunResult:
        """Append half of the rows to the shape's source, and run the whole job."""
        path = self.folder / "data" / shape.name
        write_deltalake(path, self.source(shape, half), mode="append")
        manifest = Manifest.of([shape.view])
        job = Job(
            self.materialized,
            applied=lambda: manifest,
            loaded=lambda: manifest,
            spark=lambda: self.spark,
        )
        (result,) = materialize(job)
        return result


@pytest.fixture(scope="module")
def project(
    spark: "SparkSession", tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Project:
    number = int(request.config.getoption("--hypothesis-seed") or 0)
    samples_by_shape = {shape.name: draw(shape, number) for shape in SHAPES}
    made = Project(tmp_path_factory.mktemp("worlds"), own_session(spark), samples_by_shape)
    for shape in SHAPES:
        for half in (0, 1):
            made.write(shape, HALVES, half, made.source(shape, half))
    return made


def draw(shape: Shape, number: int, worlds: int = WORLDS) -> list[Sample]:
    """Generate a shape's worlds, the same for the same seed."""
    generated: list[Sample] = []

    @seed(number)
    @settings(
        max_examples=worlds,
        phases=[Phase.generate],
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(samples(shape))
    def take(sample: Sample) -> None:
        generated.append(sample)

    take()
    return generated


def test_the_shapes_are_valid_definitions() -> None:
    assert rules.check(Manifest.of([shape.view for shape in SHAPES])) == []


@each_shape
def test_every_world_is_stored_by_the_rules(project: Project, shape: Shape) -> None:
    stored = project.stored(shape)

    for number, sample in enumerate(project.samples[shape.name]):
        expected = [stored_row(shape.view, number, row) for row in sample.rows]
        rows = [{**row} for row in stored.get(number, [])]
        hashed = {(row.pop(ROW_HASH), written(row)) for row in rows}
        assert Counter(map(written, rows)) == Counter(written(row) for row in expected if row)
        assert len(hashed) == len({*map(written, rows)})  # equal rows have equal hashes


@each_shape
def test_the_engine_in_process_answers_every_world_as_the_reference(
    project: Project, shape: Shape
) -> None:
    worlds = project.samples[shape.name]
    numbered = [(number, row) for number, sample in enumerate(worlds) for row in sample.spine]
    request = Query("laws", queries(shape), SPINE_TIME)
    spine = bind(request, spine_table(shape, numbered), null_times="keep")
    stored = project.stored(shape)

    answers = answer(request, spine, {shape.name: open_snapshot(project.table(shape))})

    first = 0
    for number, sample in enumerate(worlds):
        part = answers.slice(first, len(sample.spine))
        first += len(sample.spine)
        for query in request.views:
            world = world_of(query, number, [*sample.spine], stored.get(number, []))
            require_right(world, part)


@each_shape
def test_sparks_latest_table_answers_every_world_as_the_reference(
    project: Project, shape: Shape
) -> None:
    moment = shape.start + 17 * SECOND

    refresh(project.spark, project.layout, shape.view, HALVES, from_micros(moment))

    latest = plain(pa.table(DeltaTable(project.layout.latest(shape.name)).scan()))
    keys = [key.name for key in shape.view.join_keys]
    answered = by_world(latest.select([*keys, "as_of"]))
    query, stored = compile_view(shape.view), project.stored(shape)
    assert {number: keys_of(rows, keys) for number, rows in answered.items()} == {
        number: sorted({*keys_of(rows, keys)}) for number, rows in stored.items()
    }
    for number, rows in answered.items():
        spine = [row | {query.timestamp_field: moment} for row in rows]
        part = latest.take(pc.indices_nonzero(pc.equal(latest["world"], number)))
        require_right(World(query, spine, stored[number]), part)


@pytest.mark.parametrize("shape", SHAPES[1::3], ids=lambda shape: shape.name)
def test_a_source_in_two_batches_is_stored_as_in_one(project: Project, shape: Shape) -> None:
    project.write(shape, "whole", 0, project.source(shape, 0), project.source(shape, 1))

    assert contents(project.stored(shape, "whole")) == contents(project.stored(shape))


def test_two_runs_of_the_whole_job_store_what_one_batch_stores(project: Project) -> None:
    shape = next(shape for shape in SHAPES if shape.name == "revised")

    results = [project.materialize(shape, half) for half in (0, 1)]

    assert [(result.status, result.kind) for result in results] == [
        ("done", "build"),
        ("done", "run"),
    ]
    uri = project.materialized.features(shape.name, results[0].table_id)
    stored = by_world(pa.table(DeltaTable(uri).scan()))
    assert contents(stored) == contents(project.stored(shape))


def test_a_process_in_another_time_zone_stores_the_same_rows(
    project: Project, tmp_path: Path
) -> None:
    shape = SHAPES[0]
    halves = [project.part(shape, HALVES, half) for half in (0, 1)]

    done = subprocess.run(
        [sys.executable, "-m", "tests.laws.other_zone", shape.name,
         project.table(shape, "other_zone"), tmp_path / "state", *halves],
        cwd=ROOT, env={**os.environ, "TZ": "Pacific/Kiritimati", "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip

    assert done.stdout == "Pacific/Kiritimati UTC\n", done.stderr
    assert contents(project.stored(shape, "other_zone")) == contents(project.stored(shape))


def require_right(world: World, answers: pa.Table) -> None:
    """Fail with a small world if an answer differs from the reference."""
    expected = reference.answer(world.query, world.spine, world.rows)
    wrong = wrong_cells(world, expected, answers)
    if wrong:
        pytest.fail(failure_text(world, wrong))


def by_world(rows: pa.Table) -> Stored:
    """Return a table's rows by world, with event and available times in microseconds."""
    for name in (EVENT_TIME, AVAILABLE_TIME):
        if name in rows.column_names:
            micros = rows[name].cast(pa.int64())
            rows = rows.set_column(rows.column_names.index(name), name, micros)
    worlds: Stored = {}
    for row in rows.to_pylist():
        worlds.setdefault(row["world"], []).append(row)
    return worlds


def contents(stored: Stored) -> dict[int, Counter[str]]:
    """Return the rows of each world, in any order."""
    return {number: Counter(map(written, rows)) for number, rows in stored.items()}


def written(row: dict) -> str:
    """Return a row as text: NaN equals NaN, and all names of UTC are equal."""
    return repr([(name, in_utc(row[name])) for name in sorted(row)])


def in_utc(value: object) -> object:
    """Return moments with the standard library's UTC, other values unchanged."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def keys_of(rows: list[dict], keys: list[str]) -> list[tuple]:
    """Return the rows' keys, sorted."""
    return sorted(tuple(row[name] for name in keys) for row in rows)
