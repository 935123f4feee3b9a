"""Row metadata: each transformed row has the metadata of its source row."""

from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.types import Field, Int64
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.transform.row_metadata import (
    MOST_GROUPS,
    keep_row_metadata,
    with_row_metadata,
)
from featurestore.engines.spark.transform.run import run_transform
from featurestore.errors import MaterializationError

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

PAID = DeltaSource("paid", path="paid", timestamp_field="at")


def view_of(transform: object) -> FeatureView:
    """A view with this transform."""
    return FeatureView(
        "v", entities=(), source=PAID, schema=(Field("id", Int64),), transform=transform
    )


@pytest.fixture
def rows(spark: "SparkSession") -> "DataFrame":
    return with_metadata(spark, count=6, groups=3)


def with_metadata(spark: "SparkSession", count: int, groups: int) -> "DataFrame":
    """Ids with metadata: a sequence number and its square."""
    seq = F.col("id") % groups
    metadata = F.struct(seq.alias("seq"), (seq * seq).alias("square"))
    return with_row_metadata(spark.range(count).withColumn("g", F.col("id") % 2), metadata)


def metadata_after(view: FeatureView, rows: "DataFrame") -> list[tuple[int, ...]]:
    """The ids after the view's transform, each with its metadata."""
    out = keep_row_metadata(view, lambda source_rows: run_transform(view, source_rows), rows)
    answers = out.select("id", "_row_metadata.seq", "_row_metadata.square").collect()
    rows.unpersist()
    return sorted(tuple(row) for row in answers)


def all_columns(rows: "DataFrame") -> "DataFrame":
    return rows.where("id > 0").withColumn("id", F.col("id") * 10)


def one_column(rows: "DataFrame") -> "DataFrame":
    return rows.where("id > 0").select((F.col("id") * 10).alias("id"))


@pytest.mark.parametrize(
    "transform", [all_columns, one_column, "SELECT id * 10 AS id FROM {source} WHERE id > 0"]
)
def test_each_row_has_the_metadata_of_its_source_row(rows: "DataFrame", transform: object) -> None:
    expected = [(10, 1, 1), (20, 2, 4), (30, 0, 0), (40, 1, 1), (50, 2, 4)]

    assert metadata_after(view_of(transform), rows) == expected


def test_rows_with_equal_metadata_are_transformed_in_one_run(spark: "SparkSession") -> None:
    assert metadata_after(view_of(one_column), with_metadata(spark, 3, 1)) == [
        (10, 0, 0),
        (20, 0, 0),
    ]
    assert metadata_after(view_of(one_column), with_metadata(spark, 0, 1)) == []


def test_too_many_commits_are_refused_with_the_column_to_select(spark: "SparkSession") -> None:
    rows = with_metadata(spark, MOST_GROUPS + 1, MOST_GROUPS + 1)

    with pytest.raises(MaterializationError) as refused:
        metadata_after(view_of(one_column), rows)

    assert f"{MOST_GROUPS // 2} commits" in refused.value.found
    assert "_row_metadata" in refused.value.fix
    assert len(metadata_after(view_of(all_columns), rows)) == MOST_GROUPS
