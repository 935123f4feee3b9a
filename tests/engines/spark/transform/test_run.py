"""Transforms in Python and SQL, and the checks of the columns that they return."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.types import (
    Array,
    Field,
    Float32,
    Float64,
    Int32,
    Int64,
    String,
)
from featurestore.definitions.model.view import Code, FeatureView, Transform
from featurestore.engines.spark.session.child import own_session
from featurestore.engines.spark.transform.run import transformed
from featurestore.engines.spark.types import fits, spark_type
from featurestore.errors import DefinitionError, FeatureStoreError, MaterializationError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

CARD = Entity("card", join_keys=(Field("card_id", Int64),))
PAID = DeltaSource("paid", path="paid", timestamp_field="at", sequence_field="n")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def view_of(transform: Transform | None, *schema: Field) -> FeatureView:
    """A view of cards with this transform."""
    return FeatureView("v", entities=(CARD,), source=PAID, schema=schema, transform=transform)


@pytest.fixture
def rows(spark: "SparkSession") -> "DataFrame":
    return spark.createDataFrame(
        [(1, NOON, 7, '{"a": 5}')], "card_id int, at timestamp, n int, note string"
    )


def doubled(rows: "DataFrame") -> "DataFrame":
    return rows.withColumn("twice", F.col("n") * 2)


def failing(rows: "DataFrame") -> "DataFrame":
    raise ValueError("bad amount")


def returning_nothing(rows: "DataFrame") -> None:
    rows.count()


def test_a_python_transform_gets_the_rows(rows: "DataFrame") -> None:
    out = transformed(view_of(doubled, Field("twice", Int64)), rows)

    assert out.select("card_id", "twice").collect() == [(1, 14)]


def test_a_sql_transform_selects_from_the_source_and_keeps_its_other_braces(
    rows: "DataFrame", spark: "SparkSession"
) -> None:
    sql = "SELECT *, note = '{\"a\": 5}' AS same, {not_the_source: n}.n AS m FROM {source}"
    sql = sql.replace("{not_the_source: n}.n", "get_json_object('{\"n\": 3}', '$.n')")

    out = transformed(view_of(sql, Field("m", String)), rows)

    assert out.select("same", "m").collect() == [(True, "3")]
    assert spark.catalog.listTables() == []


VARIABLES = "${env:HOME} ${a} ${system:user.dir} ${spark.app.name} ${hivevar:a}"


def replaced(rows: "DataFrame") -> "DataFrame":
    return rows.selectExpr("*", f"'{VARIABLES}' AS text").withColumn("`${a}`", F.expr("'${a}'"))


@pytest.mark.parametrize(
    "transform",
    [f"SELECT *, '{VARIABLES}' AS text, '${{a}}' AS `${{a}}` FROM {{source}} -- ${{a}}", replaced],
)
def test_variables_in_sql_are_not_replaced(
    spark: "SparkSession", rows: "DataFrame", transform: Transform
) -> None:
    own = own_session(spark)
    own.conf.set("a", "secret")
    given = own.createDataFrame(rows.collect(), rows.schema)

    [row] = transformed(view_of(transform, Field("text", String)), given).collect()

    assert row["text"] == VARIABLES
    assert "${a}" in row.asDict().values()


def test_every_column_that_does_not_fit_is_named_at_once(rows: "DataFrame") -> None:
    schema = (Field("nots", String), Field("note", Float64))

    with pytest.raises(MaterializationError) as refused:
        transformed(view_of(None, *schema), rows.drop("at"))

    found = refused.value.found
    assert "'nots'" in found
    assert "'note'?" in found
    assert "'at', the source's timestamp_field," in found
    assert "'note' is string, declared as Float64 (double; " in found
    assert "'v' (" in refused.value.call
    assert "'paid' (" in refused.value.call
    assert refused.value.call.count("test_run.py:") == 2


def test_a_transform_that_drops_the_time_is_refused_with_the_source_that_declares_it(
    rows: "DataFrame",
) -> None:
    view = view_of("SELECT card_id, n FROM {source}", Field("n", Int64))

    with pytest.raises(MaterializationError) as refused:
        transformed(view, rows)

    assert refused.value.call.startswith("transform of view 'v' (")
    assert "'at', the timestamp_field of source 'paid' (" in refused.value.found
    assert "test_run.py:" in refused.value.found
    assert "Known: card_id, n" in refused.value.found


def test_a_sequence_column_of_another_type_is_refused_with_the_type_that_it_must_have(
    rows: "DataFrame",
) -> None:
    text = rows.withColumn("n", F.col("n").cast("string"))

    with pytest.raises(MaterializationError) as refused:
        transformed(view_of(None), text)

    assert "'n', the source's sequence_field, is string" in refused.value.found
    assert "bigint" in refused.value.found


def parsing(rows: "DataFrame") -> "DataFrame":
    return rows.withColumn("x", F.lit(json.loads("{")))


def naming_a_column(rows: "DataFrame") -> "DataFrame":
    def step(rows: "DataFrame") -> "DataFrame":
        return rows.select(F.col("nope"))

    return step(rows)


def passing_a_number(rows: "DataFrame") -> "DataFrame":
    return rows.select(F.col(5))  # type: ignore[call-overload]  # the mistake


@pytest.mark.parametrize(
    ("transform", "kind", "reason", "function"),
    [
        (failing, MaterializationError, "ValueError: bad amount", "failing"),
        (parsing, MaterializationError, "JSONDecodeError", "parsing"),
        (naming_a_column, DefinitionError, "`nope`", "step"),
        (passing_a_number, MaterializationError, "col([class java.lang.", "passing_a_number"),
    ],
)
def test_a_transform_that_fails_is_named_with_its_function_and_line(
    rows: "DataFrame", transform: Transform, kind: type[Exception], reason: str, function: str
) -> None:
    with pytest.raises(kind) as refused:
        transformed(view_of(transform), rows)

    error = refused.value
    assert isinstance(error, FeatureStoreError)
    assert error.call.startswith("transform of view 'v' (")
    assert reason in error.found
    position = error.found.partition(f", in function {function!r} (")[2]
    assert re.fullmatch(r".*test_run\.py:\d+\)", position)
    assert "\tat " not in error.found  # Java's stack trace


def test_a_transform_that_returns_no_frame_is_named(rows: "DataFrame") -> None:
    with pytest.raises(MaterializationError) as refused:
        transformed(view_of(returning_nothing), rows)

    assert "'v'" in refused.value.call
    assert "NoneType" in refused.value.found
    assert "DataFrame" in refused.value.fix


def test_text_from_the_registry_is_never_run(rows: "DataFrame") -> None:
    with pytest.raises(MaterializationError) as refused:
        transformed(view_of(Code("doubled", "def doubled(rows): ...", "f")), rows)

    assert "'doubled'" in refused.value.found


def test_columns_may_only_widen() -> None:
    assert fits(spark_type(Int32), spark_type(Int64))
    assert fits(spark_type(Array(Float32)), spark_type(Array(Float64)))
    assert not fits(spark_type(Int64), spark_type(Int32))
    assert not fits(spark_type(Int64), spark_type(Float64))
    assert not fits(spark_type(String), spark_type(Int64))


@pytest.mark.parametrize(
    ("zone", "function", "is_refused"),
    [
        ("Europe/Berlin", "to_timestamp", True),
        ("Europe/Berlin", "to_timestamp_ntz", False),
        (None, "to_timestamp", False),
    ],
)
def test_a_moment_made_of_a_local_time_is_refused_where_the_source_names_its_zone(
    spark: "SparkSession", zone: str | None, function: str, is_refused: bool
) -> None:
    rows = spark.createDataFrame([(1, "29.08.2026 08:00", 7)], "card_id int, at string, n int")
    parsed = f"SELECT card_id, {function}(at, 'dd.MM.yyyy HH:mm') AS at, n FROM {{source}}"
    view = replace(view_of(parsed), source=replace(PAID, timezone=zone))

    if is_refused:
        with pytest.raises(MaterializationError) as error:
            transformed(view, rows)
        assert "'at'" in error.value.found
        assert "Europe/Berlin" in error.value.found
        assert "to_timestamp_ntz" in error.value.fix
    else:
        assert transformed(view, rows).count() == 1
