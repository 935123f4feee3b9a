"""What travels beside a source's columns through a user's transform."""

from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql.window import Window

from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.types import Field, Int64
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.transform.row_metadata import (
    MOST_PIECES,
    keep_row_metadata,
    require_row_by_row,
    with_row_metadata,
)
from featurestore.engines.spark.transform.run import run_transform
from featurestore.errors import MaterializationError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

PAID = DeltaSource("paid", path="paid", timestamp_field="at")
BY_SQL = {
    "grouped": "SELECT g, sum(id) AS id FROM {source} GROUP BY g",
    "distinct": "SELECT DISTINCT id FROM {source}",
    "limited": "SELECT * FROM {source} LIMIT 5",
    "by a common table": "WITH s AS (SELECT * FROM {source}) SELECT max(id) AS id FROM s",
    "by a subquery": "SELECT id FROM {source} WHERE id > (SELECT avg(id) FROM {source})",
}


def view_of(transform: object) -> FeatureView:
    """A view with this transform."""
    return FeatureView(
        "v", entities=(), source=PAID, schema=(Field("id", Int64),), transform=transform
    )


@pytest.fixture
def rows(spark: "SparkSession") -> "DataFrame":
    return carrying(spark, count=6, kinds=3)


def carrying(spark: "SparkSession", count: int, kinds: int) -> "DataFrame":
    """Ids that carry a sequence number and its square."""
    seq = F.col("id") % kinds
    metadata = F.struct(seq.alias("seq"), (seq * seq).alias("square"))
    return with_row_metadata(spark.range(count).withColumn("g", F.col("id") % 2), metadata)


def carried_by(view: FeatureView, rows: "DataFrame") -> list[tuple[int, ...]]:
    out = keep_row_metadata(view, lambda given: run_transform(view, given), rows)
    found = out.select("id", "_row_metadata.seq", "_row_metadata.square").collect()
    rows.unpersist()
    return sorted(tuple(row) for row in found)


def keeping(rows: "DataFrame") -> "DataFrame":
    return rows.where("id > 0").withColumn("id", F.col("id") * 10)


def choosing(rows: "DataFrame") -> "DataFrame":
    return rows.where("id > 0").select((F.col("id") * 10).alias("id"))


@pytest.mark.parametrize(
    "transform", [keeping, choosing, "SELECT id * 10 AS id FROM {source} WHERE id > 0"]
)
def test_each_row_keeps_what_its_own_row_carried(rows: "DataFrame", transform: object) -> None:
    expected = [(10, 1, 1), (20, 2, 4), (30, 0, 0), (40, 1, 1), (50, 2, 4)]

    assert carried_by(view_of(transform), rows) == expected


def test_rows_that_all_carry_the_same_are_transformed_at_once(spark: "SparkSession") -> None:
    assert carried_by(view_of(choosing), carrying(spark, 3, 1)) == [(10, 0, 0), (20, 0, 0)]
    assert carried_by(view_of(choosing), carrying(spark, 0, 1)) == []


def test_too_many_kinds_are_refused_with_the_column_to_keep(spark: "SparkSession") -> None:
    rows = carrying(spark, MOST_PIECES + 1, MOST_PIECES + 1)

    with pytest.raises(MaterializationError, match=r"100 commits.*Keep _row_metadata among"):
        carried_by(view_of(choosing), rows)
    assert len(carried_by(view_of(keeping), rows)) == MOST_PIECES


def ranked(rows: "DataFrame") -> "DataFrame":
    return rows.withColumn("id", F.row_number().over(Window.orderBy("id")).cast("bigint"))


def deduplicated(rows: "DataFrame") -> "DataFrame":
    return rows.dropDuplicates(["g"])


@pytest.mark.parametrize("transform", [ranked, deduplicated, *BY_SQL.values()])
def test_transforms_that_gather_rows_are_refused(rows: "DataFrame", transform: object) -> None:
    view = view_of(transform)

    with pytest.raises(MaterializationError, match="not work row by row"):
        require_row_by_row(view, run_transform(view, rows))


def joined(rows: "DataFrame") -> "DataFrame":
    counted = rows.sparkSession.range(3).groupBy("id").count()
    return rows.join(counted, "id", "left")


@pytest.mark.parametrize("transform", [None, keeping, choosing, joined])
def test_a_join_with_gathered_rows_of_another_table_is_row_by_row(
    rows: "DataFrame", transform: object
) -> None:
    view = view_of(transform)

    require_row_by_row(view, run_transform(view, rows))


def test_filters_are_refused_where_rows_could_not_be_taken_back(rows: "DataFrame") -> None:
    view = view_of(keeping)

    with pytest.raises(MaterializationError, match="operator Filter"):
        require_row_by_row(view, run_transform(view, rows), frozenset({"Filter"}))
