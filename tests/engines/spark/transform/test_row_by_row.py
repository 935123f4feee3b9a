"""Transforms that look at other rows, the time or chance are refused before a row is read."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from random import random
from typing import TYPE_CHECKING

import pytest
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql.types import LongType
from pyspark.sql.window import Window

from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.types import Field, Int64
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.transform.inputs import require_fitting_transform
from featurestore.engines.spark.transform.row_by_row import only_chooses, require_row_by_row
from featurestore.engines.spark.transform.run import run_transform
from featurestore.errors import MaterializationError

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame, SparkSession

PAID = DeltaSource("paid", path="paid", timestamp_field="at")
SHOPS = DeltaSource("shops", path="shops")


@pytest.fixture
def rows(spark: "SparkSession") -> "Iterator[DataFrame]":
    spark.range(3).createOrReplaceTempView("dim")
    source = spark.range(6).withColumn("g", F.col("id") % 2).withColumn("t", F.lit("a"))
    yield source.limit(0)
    spark.catalog.dropTempView("dim")


def check(transform: object, rows: "DataFrame", banned: frozenset[str] = frozenset()) -> None:
    """Check a transform of these rows."""
    view = FeatureView(
        "v", entities=(), source=PAID, schema=(Field("id", Int64),), transform=transform
    )
    require_row_by_row(view, partial(run_transform, view), rows, banned)


def refusal(transform: object, rows: "DataFrame") -> str:
    """Return what was found in a refused transform."""
    with pytest.raises(MaterializationError) as refused:
        check(transform, rows)
    assert "'v'" in refused.value.call
    assert "aggregations=" in refused.value.fix
    return refused.value.found


def ranked(rows: "DataFrame") -> "DataFrame":
    return rows.withColumn("id", F.row_number().over(Window.orderBy("id")).cast("bigint"))


def differences(rows: "DataFrame") -> "DataFrame":
    return rows.withColumn("id", F.lag("id").over(Window.partitionBy("g").orderBy("id")))


def deduplicated(rows: "DataFrame") -> "DataFrame":
    return rows.dropDuplicates(["g"])


def newest(rows: "DataFrame") -> "DataFrame":
    return rows.orderBy(F.desc("id")).limit(1)


def shares(rows: "DataFrame") -> "DataFrame":
    totals = rows.groupBy("g").agg(F.sum("id").alias("total"))
    return rows.join(totals, "g").withColumn("id", (F.col("id") / F.col("total")).cast("bigint"))


def paired(rows: "DataFrame") -> "DataFrame":
    return rows.alias("one").join(rows.select("g").alias("other"), "g")


def by_group(rows: "DataFrame") -> "DataFrame":
    return rows.groupBy("g").applyInPandas(lambda group: group, rows.schema)


def sampled(rows: "DataFrame") -> "DataFrame":
    return rows.sample(0.5)


def collected(rows: "DataFrame") -> "DataFrame":
    return rows.sparkSession.createDataFrame(rows.collect(), rows.schema)


def numbered(rows: "DataFrame") -> "DataFrame":
    return rows.zipWithIndex("number")


@pytest.mark.parametrize(
    ("transform", "operator"),
    [
        (ranked, "Window"),
        (differences, "Window"),
        (deduplicated, "Deduplicate"),
        (newest, "GlobalLimit"),
        (shares, "Join"),
        (paired, "Join"),
        (by_group, "FlatMapGroupsInPandas"),
        (sampled, "Sample"),
        (numbered, "AttachDistributedSequence"),
        (
            "SELECT TRANSFORM(id) USING 'head -n 1' AS (id BIGINT) FROM {source}",
            "ScriptTransformation",
        ),
        ("SELECT g, sum(id) AS id FROM {source} GROUP BY g", "Aggregate"),
        ("SELECT max(id) AS id FROM {source}", "Aggregate"),
        ("SELECT id, lag(id) OVER (ORDER BY id) AS g FROM {source}", "Window"),
        ("SELECT DISTINCT id FROM {source}", "Distinct"),
        ("SELECT * FROM {source} UNION SELECT * FROM {source}", "Distinct"),
        ("SELECT * FROM {source} EXCEPT SELECT * FROM {source} WHERE g = 1", "Except"),
        ("SELECT * FROM {source} LIMIT 5", "GlobalLimit"),
        ("SELECT * FROM {source} TABLESAMPLE (10 PERCENT)", "Sample"),
        ("SELECT a.* FROM {source} a JOIN {source} b USING (id)", "Join"),
        ("WITH s AS (SELECT * FROM {source}) SELECT max(id) AS id FROM s", "Aggregate"),
        ("WITH s AS (SELECT * FROM {source}) SELECT a.* FROM s a JOIN s b USING (g)", "Join"),
        (
            "WITH s AS (SELECT * FROM {source}), t AS (SELECT * FROM s) "
            "SELECT a.* FROM {source} a JOIN t b USING (g)",
            "Join",
        ),
        ("SELECT * FROM (SELECT g, id FROM {source}) PIVOT (sum(id) FOR g IN (0))", "Aggregate"),
    ],
)
def test_a_transform_that_combines_rows_is_refused_with_the_operator(
    rows: "DataFrame", transform: object, operator: str
) -> None:
    assert f"operator {operator}" in refusal(transform, rows)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM {source} WHERE id > (SELECT avg(id) FROM {source})",
        "SELECT * FROM {source} a WHERE EXISTS (SELECT 1 FROM {source} b WHERE b.id > a.id)",
        "SELECT * FROM {source} a WHERE id IN (SELECT g FROM {source})",
        "SELECT a.*, q FROM {source} a, LATERAL (SELECT b.g AS q FROM {source} b "
        "WHERE b.id = a.id)",
    ],
)
def test_a_subquery_of_the_source_is_refused(rows: "DataFrame", sql: str) -> None:
    assert "subquery" in refusal(sql, rows)


@pytest.mark.parametrize(
    "expression",
    [
        *("rand()", "rand(5)", "randn()", "random()", "uuid()", "now()", "current_timestamp()"),
        *("current_date()", "localtimestamp()", "unix_timestamp()", "input_file_name()"),
        *("monotonically_increasing_id()", "spark_partition_id()", "shuffle(array(1, 2))"),
        *("current_user()", "randstr(5)", "uniform(1, 5)", "current_time()"),
        *("reflect('java.util.UUID', 'randomUUID')", "date_diff(current_date(), '2026-01-01')"),
        "CASE WHEN rand() > 0.5 THEN 1 END",
        "CAST('now' AS TIMESTAMP)",
        "CAST('Today' AS DATE)",
    ],
)
def test_a_function_of_the_time_or_of_chance_is_refused(
    rows: "DataFrame", expression: str
) -> None:
    many = ", ".join(f"id + {n} AS c{n}" for n in range(40))  # Spark shortens long lists

    assert "in each run" in refusal(f"SELECT *, {many}, {expression} AS x FROM {{source}}", rows)
    assert refusal(lambda rows: rows.where(F.expr(f"{expression} IS NOT NULL")), rows)


# Texts, names and comments that look like functions or like operators of a plan.
LOOKS = """
    'now()' AS `rand()`, 'cast(now as timestamp)' AS `current_user()`, "uuid(Some(1))" AS uuid,
    'shuffle(a, Some(1))' AS now, map('rand(5)', 'today') AS current_timestamp, /* rand() */
    '
+- Aggregate [sum(id)]
   +- SubqueryAlias _featurestore_source
' AS plan, struct(id AS `input_file_name()`) AS random, t LIKE '%current_date(%' AS l, -- now()
    get_json_object(t, '$.now()') AS j, DATE '2026-01-01' AS today, CAST('1999-01-01' AS DATE) AS d
"""


def looking(rows: "DataFrame") -> "DataFrame":
    named = rows.withColumn("rand()", F.lit("uuid(Some(1))")).withColumnRenamed("t", "now()")
    return named.withColumn("text", F.concat(F.lit("current_timestamp()"), F.col("`now()`")))


@pytest.mark.parametrize("transform", [f"SELECT *, {LOOKS} FROM {{source}}", looking])
def test_a_text_or_a_name_that_looks_like_a_function_is_allowed(
    rows: "DataFrame", transform: object
) -> None:
    check(transform, rows)


@pytest.mark.parametrize(
    "real",
    [
        *("rand()", "uuid()", "randn(3)", "now()", "localtimestamp()", "current_path()"),
        *("uniform(1, 5, 7)", "current_timestamp", "current_date", "user", "current_user"),
        "from_unixtime(unix_timestamp())",
        "CASE WHEN t = 'now()' THEN 'rand()' ELSE concat('now()', uuid()) END",
        "coalesce(nullif(t, 'now()'), cast(now() AS string))",
        "transform(array(1, 2), x -> x + rand())",
        "(SELECT max(now()) FROM dim)",
        "(SELECT max(x) FROM VALUES (now()) AS v(x))",
        "(SELECT max(d.id) FROM dim d WHERE d.id > rand())",
        "EXISTS (SELECT 1 FROM dim WHERE id IN (SELECT id FROM dim WHERE uuid() > 'uuid()'))",
        *(
            "to_date('today')",
            "CAST(concat('to', 'day') AS DATE)",
            "current_date - DATE '2026-1-1'",
        ),
        "(SELECT max(try_cast(upper('now') AS TIMESTAMP)) FROM dim)",
        "struct(array(named_struct('a', current_timezone())))",
    ],
)
def test_a_real_function_is_refused_beside_texts_that_look_like_it(
    rows: "DataFrame", real: str
) -> None:
    assert "in each run" in refusal(f"SELECT *, {LOOKS}, {real} AS x FROM {{source}}", rows)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM (SELECT *, now() AS at FROM {source})",
        "WITH s AS (SELECT *, 'now()' AS n, rand() AS r FROM {source}) SELECT s.* FROM s",
        "SELECT s.* FROM {source} s JOIN dim d ON s.id = d.id AND now() IS NOT NULL",
        "SELECT s.* FROM {source} s JOIN (SELECT id, max(now()) FROM dim GROUP BY id) USING (id)",
        "SELECT s.*, n FROM {source} s, (SELECT current_timestamp AS n)",
        "SELECT * FROM {source} WHERE t <> 'now()' AND current_user <> 'uuid()'",
        "SELECT * FROM {source} ORDER BY rand()",
        "SELECT s.*, x FROM {source} s LATERAL VIEW explode(array(uuid())) AS x",
        "SELECT s.*, v.x FROM {source} s CROSS JOIN (VALUES (now())) AS v(x)",
        "FROM {source} |> EXTEND now() AS n |> DROP n",
    ],
)
def test_a_real_function_is_refused_anywhere_in_a_query(rows: "DataFrame", sql: str) -> None:
    assert "in each run" in refusal(sql, rows)


@pytest.mark.parametrize(
    "column",
    [
        *(F.current_timestamp, F.now, F.current_date, F.localtimestamp, F.rand, F.uuid),
        *(F.monotonically_increasing_id, F.input_file_name, F.spark_partition_id, F.current_user),
        lambda: F.when(F.col("text") == "rand()", F.rand()).otherwise(F.lit(0)),
        lambda: F.transform(F.array(F.lit(1)), lambda each: each * F.randn()),
        lambda: F.shuffle(F.array(F.lit("now()"))),
        lambda: F.unix_timestamp(),
        lambda: F.expr("TIMESTAMP 'now'"),
        lambda: F.lit(datetime.now(UTC)),
        lambda: F.lit(random()),
        lambda: F.lit("now").cast("timestamp"),
        lambda: F.lit(datetime(2026, 1, 1, tzinfo=UTC)) > "tomorrow",
    ],
)
def test_a_real_function_of_pyspark_is_refused(
    rows: "DataFrame", column: "Callable[[], Column]"
) -> None:
    assert "in each run" in refusal(lambda rows: looking(rows).withColumn("x", column()), rows)


def test_a_variable_of_the_session_is_refused(spark: "SparkSession", rows: "DataFrame") -> None:
    spark.sql("DECLARE VARIABLE rate INT DEFAULT 5")
    try:
        assert "in each run" in refusal("SELECT *, rate AS x FROM {source}", rows)
    finally:
        spark.sql("DROP TEMPORARY VARIABLE rate")


def test_a_result_that_does_not_come_from_the_rows_as_a_frame_is_refused(
    rows: "DataFrame",
) -> None:
    assert refusal(collected, rows)


def joined(rows: "DataFrame") -> "DataFrame":
    counted = rows.sparkSession.range(3).groupBy("id").count()
    return rows.join(counted, "id", "left")


def with_udfs(rows: "DataFrame") -> "DataFrame":
    def uuid(value):  # type: ignore[no-untyped-def]  # PySpark would look for other hints
        return value

    def now():  # type: ignore[no-untyped-def]  # as above
        return 1

    own, other = F.udf(uuid, LongType()), F.udf(now, LongType())
    return rows.withColumn("id", own("id")).withColumn("one", other())


def assembled(rows: "DataFrame") -> "DataFrame":
    return VectorAssembler(inputCols=["id", "g"], outputCol="v").transform(rows)


def by_batches(rows: "DataFrame") -> "DataFrame":
    return rows.mapInPandas(lambda frames: frames, rows.schema)


@pytest.mark.parametrize(
    "transform",
    [
        None,
        joined,
        with_udfs,
        assembled,  # with a random name in its plan
        by_batches,
        lambda rows: rows.where("id > 0").withColumn("id", F.col("id") * 10),
        lambda rows: rows.select(F.explode(F.array("id", "g")).alias("id")),
        lambda rows: rows.union(rows),
        lambda rows: rows.na.fill(0).repartition(3).orderBy("id"),
        "SELECT id * 10 AS id FROM {source} WHERE id > 0",
        "SELECT * FROM {source} UNION ALL SELECT * FROM {source}",
        "SELECT a.*, q FROM {source} a LATERAL VIEW explode(array(1, 2)) AS q",
        "SELECT * FROM {source} WHERE id IN (SELECT id FROM dim)",
        "SELECT *, (SELECT max(id) FROM dim) AS m FROM {source}",
        "WITH s AS (SELECT * FROM {source}) SELECT s.* FROM s JOIN dim USING (id)",
        "WITH d AS (SELECT max(id) AS id FROM dim) SELECT s.* FROM {source} s JOIN d USING (id)",
        "SELECT *, to_date(t) AS day, 'rand()' AS text FROM {source}",
        "SELECT * FROM (SELECT id, g, t FROM {source}) UNPIVOT (x FOR y IN (id, g))",
        "FROM {source} SELECT id; -- the end",
    ],
)
def test_a_transform_that_works_row_by_row_is_allowed(
    rows: "DataFrame", transform: object
) -> None:
    check(transform, rows)


def test_a_banned_operator_is_refused(rows: "DataFrame") -> None:
    with pytest.raises(MaterializationError) as refused:
        check("SELECT * FROM {source} WHERE id > 0", rows, frozenset({"Filter"}))

    assert "operator Filter" in refused.value.found


@pytest.mark.parametrize(
    ("transform", "is_refused"),
    [
        ("SELECT max(id) AS id, 'now()' AS t FROM {source} GROUP BY g LIMIT 5", False),
        (ranked, False),
        ("SELECT id, current_timestamp AS t FROM {source}", True),
        (lambda rows: rows.dropDuplicates().withColumn("t", F.rand()), True),
    ],
)
def test_a_snapshot_views_transform_may_combine_rows_and_is_the_same_in_each_run(
    rows: "DataFrame", transform: object, is_refused: bool
) -> None:
    schema = (Field("id", Int64),)
    view = FeatureView(
        "v", entities=(), source=SHOPS, schema=schema, transform=transform, snapshot=True
    )
    refused = pytest.raises(MaterializationError, match="in each run")

    with refused if is_refused else nullcontext():
        require_fitting_transform(view, rows)


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        ("SELECT * FROM {source}", True),
        ("SELECT id, g AS h FROM {source} WHERE upper(t) = 'A' AND CAST(g AS int) > 0", True),
        ("SELECT id, CAST(g AS string) AS h FROM {source}", False),
        (lambda rows: rows.where("g = 1").drop("t"), True),
        ("SELECT id, upper(t) AS t FROM {source}", False),
        ("SELECT s.* FROM {source} AS s JOIN dim USING (id)", False),
        ("SELECT * FROM {source} WHERE id IN (SELECT id FROM dim)", False),
        (lambda rows: rows.where(F.udf(lambda value: value == 1, "boolean")("g")), False),
        (lambda rows: rows.unionAll(rows), False),
        (lambda rows: rows.repartition(3), False),
    ],
)
def test_a_transform_that_only_chooses_rows_and_columns_is_known(
    rows: "DataFrame", transform: object, expected: bool
) -> None:
    view = FeatureView(
        "v", entities=(), source=PAID, schema=(Field("id", Int64),), transform=transform
    )

    assert only_chooses(require_row_by_row(view, partial(run_transform, view), rows)) is expected
