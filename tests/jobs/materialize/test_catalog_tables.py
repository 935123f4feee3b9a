"""A view whose source is a table of Spark's catalog."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from pyspark.sql import SparkSession

from featurestore.client.source_check.check import source_issues
from featurestore.client.write_source import write_source
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.rules.issue import NO_DATA
from featurestore.errors import RequestError
from featurestore.jobs.continuous.idle import idle_views
from featurestore.store.layout import Layout
from featurestore.store.paths import catalog_table
from tests.jobs.world import SPENDING, World


@pytest.fixture
def schema(spark: SparkSession) -> Iterator[str]:
    name = f"shop_{uuid4().hex[:8]}"
    spark.sql(f"CREATE SCHEMA {name}")
    yield name
    spark.sql(f"DROP SCHEMA {name} CASCADE")


@pytest.fixture
def world(tmp_path: Path, spark: SparkSession, schema: str) -> World:
    source = DeltaSource("payments", table=f"{schema}.payments", timestamp_field="at")
    made = World(tmp_path, spark, [replace(SPENDING, source=source)])
    made.pay(("a", 1, 10.0))
    uri = (tmp_path / "payments").as_posix()
    spark.sql(f"CREATE TABLE {schema}.payments USING delta LOCATION '{uri}'")
    return made


def test_runs_read_the_new_rows_of_the_table(world: World) -> None:
    first = world.materialize()
    world.pay(("b", 2, 20.0))
    second, third = world.materialize(), world.materialize()

    assert [first.status, second.status, third.status] == ["done", "done", "nothing"]
    assert world.rows() == [("a", 1, 10.0), ("b", 2, 20.0)]
    assert world.materialize(full=True).status == "done"
    assert world.rows() == [("a", 1, 10.0), ("b", 2, 20.0)]


def test_a_trigger_sees_whether_the_table_has_new_rows(world: World) -> None:
    before = idle(world)
    world.materialize()
    after = idle(world)
    world.pay(("b", 2, 20.0))

    assert (before, after, idle(world)) == (set(), {"spending"}, set())


def idle(world: World) -> frozenset[str]:
    return idle_views(world.session, world.layout, world.views, lambda view, behind: None)


def test_tables_that_cannot_be_read_are_errors_that_say_why(
    world: World, schema: str, spark: SparkSession
) -> None:
    spark.sql(f"CREATE TABLE {schema}.texts USING parquet AS SELECT 'a' AS card_id")
    failures = {
        f"{schema}.paymnts": ("there is no table", "payments"),
        "no_schema.payments": ("there is no table", "spark.sql.catalog"),
        f"no_catalog.{schema}.payments": ("there is no table", "spark.sql.catalog"),
        f"{schema}.texts": ("parquet table", "USING delta"),
    }

    for name, (found, fix) in failures.items():
        source = DeltaSource("payments", table=name, timestamp_field="at")
        world.views = [replace(SPENDING, source=source)]
        result = world.materialize()
        assert (result.status, name in result.message) == ("failed", True)
        assert found in result.message
        assert fix in result.message


def test_without_spark_it_is_said_that_nothing_can_be_known(tmp_path: Path) -> None:
    source = DeltaSource("payments", table="shop.payments", timestamp_field="at")
    layout = Layout(str(tmp_path / "store"), folder=tmp_path)

    (issue,) = source_issues(Manifest.of([source]), layout)

    assert (issue.rule, "'shop.payments'" in issue.message) == (NO_DATA, True)
    assert catalog_table(layout.source(source.location)) == "shop.payments"
    with pytest.raises(RequestError) as refused:
        write_source(Manifest.of([source]), layout, "payments", [{"card_id": "a"}])
    assert "'shop.payments'" in refused.value.found
