"""The rows of files are counted while they are read, and never twice."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from featurestore.definitions.model.source import FileSource
from featurestore.definitions.model.types import Field, Int64
from featurestore.engines.spark.session.child import own_session
from featurestore.engines.spark.source.file_rows import read_and_count
from featurestore.store.source_files import FilePath

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

PAID = FileSource("paid", path="paid", format="csv", timestamp_field="n", schema=Field("n", Int64))


def write(folder: Path, **files: int) -> None:
    """Write files of so many rows."""
    folder.mkdir(exist_ok=True)
    for name, count in files.items():
        lines = ["n", *(str(number) for number in range(count))]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("query", "counted"),
    [
        (lambda rows: rows.where("n > 1"), 5),
        (lambda rows: rows.union(rows), 5),
        (lambda rows: rows.repartition(3).selectExpr("n * 2 AS n"), 5),
        # Spark does not read all rows for these: only then they are counted by themselves.
        (lambda rows: rows.where("false"), 7),
        (lambda rows: rows.coalesce(1).limit(1), 7),
    ],
    ids=["filter", "union", "repartition", "no row", "one row"],
)
def test_rows_are_counted_in_the_pass_that_reads_them(
    spark: "SparkSession",
    tmp_path: Path,
    query: "Callable[[DataFrame], DataFrame]",
    counted: int,
) -> None:
    write(tmp_path / "paid", a=3, b=2, c=0)
    files = FilePath(str(tmp_path / "paid")).files
    rows, counts = read_and_count(PAID, own_session(spark), files)

    query(rows).collect()
    write(tmp_path / "paid", b=4)  # a second pass would find two rows more

    assert counts.total(rows) == counted
