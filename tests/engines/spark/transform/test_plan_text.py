"""The check of a transform by its plan's text, as through Spark Connect."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import random
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql.window import Window

from featurestore.engines.spark.transform.plan_text import analyzed_text
from featurestore.engines.spark.transform.row_by_row import (
    _rows_problem,
    checked_text,
    only_chooses,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Transform = Callable[["DataFrame"], "DataFrame"]
SOURCE = "_featurestore_source"


@pytest.fixture(scope="module")
def rows(spark: "SparkSession") -> "Iterator[DataFrame]":
    before = spark.conf.get("spark.sql.debug.maxToStringFields")
    spark.conf.set("spark.sql.debug.maxToStringFields", "100000")
    spark.range(3).createOrReplaceTempView("dim")
    source = spark.range(6).withColumn("g", F.col("id") % 2).withColumn("t", F.lit("a"))
    yield source.limit(0)
    spark.catalog.dropTempView("dim")
    spark.conf.set("spark.sql.debug.maxToStringFields", before)


def text_of(transform: Transform, rows: "DataFrame") -> str:
    execution = transform(rows.alias(SOURCE))._jdf.queryExecution()
    mode = rows.sparkSession._jvm.org.apache.spark.sql.execution.ExplainMode
    return analyzed_text(execution.explainString(mode.fromString("extended")))


def problem(transform: "Transform | str", rows: "DataFrame") -> str:
    """Return why a transform is refused; ``""`` if it is not."""
    if isinstance(transform, str):
        sql = transform
        return problem(lambda rows: rows.sparkSession.sql(sql, source=rows), rows)
    tree, found = checked_text(text_of(transform, rows), text_of(transform, rows))
    return found or _rows_problem(tree, frozenset())


def ranked(rows: "DataFrame") -> "DataFrame":
    return rows.withColumn("n", F.row_number().over(Window.orderBy("id")))


def shares(rows: "DataFrame") -> "DataFrame":
    return rows.join(rows.groupBy("g").agg(F.sum("id").alias("total")), "g")


@pytest.mark.parametrize(
    "transform",
    [
        ranked,
        shares,
        lambda rows: rows.dropDuplicates(["g"]),
        lambda rows: rows.orderBy(F.desc("id")).limit(1),
        lambda rows: rows.sample(0.5),
        lambda rows: rows.groupBy("g").applyInPandas(lambda group: group, rows.schema),
        lambda rows: rows.sparkSession.createDataFrame(rows.collect(), rows.schema),
        "SELECT g, sum(id) AS id FROM {source} GROUP BY g",
        "SELECT id, lag(id) OVER (ORDER BY id) AS g FROM {source}",
        "SELECT DISTINCT id FROM {source}",
        "SELECT * FROM {source} EXCEPT SELECT * FROM {source} WHERE g = 1",
        "SELECT a.* FROM {source} a JOIN {source} b USING (id)",
        "SELECT * FROM {source} LIMIT 5",
        "WITH s AS (SELECT * FROM {source}) SELECT max(id) AS id FROM s",
        "WITH s AS (SELECT * FROM {source}), t AS (SELECT * FROM s) "
        "SELECT a.* FROM {source} a JOIN t b USING (g)",
        "SELECT id FROM {source} WHERE id > (SELECT avg(id) FROM {source})",
        "SELECT * FROM {source} a WHERE EXISTS (SELECT 1 FROM {source} b WHERE b.id > a.id)",
        "SELECT * FROM {source} a WHERE id IN (SELECT g FROM {source})",
    ],
)
def test_a_transform_that_combines_rows_is_refused(
    rows: "DataFrame", transform: "Transform | str"
) -> None:
    assert problem(transform, rows)


@pytest.mark.parametrize(
    "expression",
    [
        *("rand()", "rand(5)", "randn()", "random()", "uuid()", "now()", "current_timestamp()"),
        *("current_date()", "localtimestamp()", "unix_timestamp()", "input_file_name()"),
        *("monotonically_increasing_id()", "spark_partition_id()", "shuffle(array(1, 2))"),
        *("current_user()", "user()", "session_user()", "randstr(5)", "uniform(1, 5)"),
        *("reflect('java.util.UUID', 'randomUUID')", "current_time()", "current_timezone()"),
        *("CAST('now' AS TIMESTAMP)", "CAST('Today' AS DATE)", "to_date('today')"),
        "(SELECT max(now()) FROM dim)",
        "transform(array(1, 2), x -> x + rand())",
    ],
)
def test_a_function_of_the_time_or_of_chance_is_refused(
    rows: "DataFrame", expression: str
) -> None:
    many = ", ".join(f"id + {n} AS c{n}" for n in range(40))

    assert problem(f"SELECT *, {many}, {expression} AS x FROM {{source}}", rows)


@pytest.mark.parametrize(
    "constant", [lambda: F.lit(datetime.now(UTC)), lambda: F.lit(random())], ids=["now", "random"]
)
def test_a_constant_that_differs_at_the_next_call_is_refused(
    rows: "DataFrame", constant: Callable[[], object]
) -> None:
    assert problem(lambda rows: rows.withColumn("x", constant()), rows)


@pytest.mark.parametrize(
    "transform",
    [
        lambda rows: rows.where("id > 0").withColumn("id", F.col("id") * 10),
        lambda rows: rows.select(F.explode(F.array("id", "g")).alias("id")),
        lambda rows: rows.union(rows),
        lambda rows: rows.withColumn("id", F.udf(lambda value: value, "bigint")("id")),
        lambda rows: rows.mapInPandas(lambda frames: frames, rows.schema),
        lambda rows: rows.join(rows.sparkSession.range(3).groupBy("id").count(), "id", "left"),
        lambda rows: rows.na.fill(0).repartition(3).orderBy("id"),
        "SELECT * FROM {source} UNION ALL SELECT * FROM {source}",
        "SELECT a.*, q FROM {source} a LATERAL VIEW explode(array(1, 2)) AS q",
        "SELECT * FROM {source} WHERE id IN (SELECT id FROM dim)",
        "SELECT *, (SELECT max(id) FROM dim) AS m FROM {source}",
        "WITH s AS (SELECT * FROM {source}) SELECT s.* FROM s JOIN dim USING (id)",
        "WITH d AS (SELECT max(id) AS id FROM dim) SELECT s.* FROM {source} s JOIN d USING (id)",
        "SELECT *, to_date(t) AS day, DATE '2026-01-01' AS new_year FROM {source}",
    ],
)
def test_a_transform_that_works_row_by_row_is_allowed(
    rows: "DataFrame", transform: "Transform | str"
) -> None:
    assert problem(transform, rows) == ""


@pytest.mark.parametrize("sql", ["id", "id, g AS h", "upper(t) AS t"])
def test_of_a_text_it_is_not_known_whether_it_only_chooses(rows: "DataFrame", sql: str) -> None:
    text = text_of(lambda source: source.selectExpr(*sql.split(", ")), rows)
    tree, _ = checked_text(text, text)

    assert not only_chooses(tree)
