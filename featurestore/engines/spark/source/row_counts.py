"""The number of rows in files, counted by Spark's tasks while they read the files."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa
from pyspark.accumulators import Accumulator, AccumulatorParam
from pyspark.sql import DataFrame, SparkSession

from featurestore.engines.files.task import FileUnit

Part = tuple[str, int]
"""A file's address, and the number of a part of it."""
Counts = dict[Part, int]


class _CountsOfParts(AccumulatorParam[Counts]):
    """Counts by part: a task that runs again gives the same count for the same part once more."""

    def zero(self, value: Counts) -> Counts:
        return {}

    def addInPlace(self, value1: Counts, value2: Counts) -> Counts:  # noqa: N802  # of pyspark
        value1.update(value2)
        return value1


class RowCounts:
    """Counts the rows of files while they are read for something else.

    Args:
        spark: A session of ours.
        units: All files, or parts of files, that a query reads.
    """

    def __init__(self, spark: SparkSession, units: Iterable[FileUnit]) -> None:
        self.parts = {(unit.address, unit.part) for unit in units}
        context = getattr(spark, "_sc", None)  # Spark Connect has none, and so no accumulators
        self.counts: Accumulator[Counts] | None = (
            None if context is None else context.accumulator({}, _CountsOfParts())
        )

    def total(self, rows: DataFrame) -> int:
        """Return the number of rows, and forget the counts.

        Args:
            rows: The rows of the files. They are read and counted only if the query did not read
                all files to their ends: Spark skips them where a filter can let no row through.
        """
        if self.counts is None:
            return rows.count()
        counts, self.counts.value = self.counts.value, {}
        return sum(counts.values()) if counts.keys() == self.parts else rows.count()


def count_rows(
    read: Callable[[Iterable[FileUnit]], Iterator[pa.RecordBatch]],
    unit: FileUnit,
    counts: "Accumulator[Any] | None",
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file, and add their number to the counts when it is read to its end.

    Args:
        read: Returns the rows of files.
        unit: The file, or a part of it.
        counts: The accumulator of `RowCounts`; None to count nothing.
    """
    number = 0
    for batch in read([unit]):
        number += batch.num_rows
        yield batch
    if counts is not None:
        counts.add({(unit.address, unit.part): number})
