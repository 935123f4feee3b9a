"""The rows of one batch while it is stored: which are good, and what is wrong with the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.source.messages import MESSAGE
from featurestore.engines.spark.transform.stored_rows import (
    null_unique,
    unmatched,
    unmatched_reasons,
)
from featurestore.engines.spark.write.file_sizes import bytes_of_row
from featurestore.engines.spark.write.masks import REASONS, WARNINGS, Validation, masked
from featurestore.quoting import spark_name
from featurestore.store.columns import EVENT_TIME, stored_columns
from featurestore.store.delta.cleanup import remove_folder


@dataclass(frozen=True)
class BatchRows:
    """The rows of one batch. They are the same, however often they are read.

    Args:
        view: The view.
        rows: The rows that the view's table would have, and columns with what is wrong.
        is_bad: Whether a row is kept out of the table.
        reasons: The names of what keeps it out.
        warnings: The names of failed checks that do not keep it out; None without such checks.
    """

    view: FeatureView
    rows: DataFrame
    _: KW_ONLY
    is_bad: Column
    reasons: Column
    warnings: Column | None = None

    @property
    def good(self) -> DataFrame:
        """The rows to store, without the other columns."""
        return self.rows.where(~self.is_bad).drop(REASONS, WARNINGS, MESSAGE)

    @cached_property
    def counts(self) -> Row:
        """The numbers of rows that are stored and kept out, their newest event, and their bytes.

        They are counted in one pass. It fills the copy of the rows, if there is one, and fails on
        a value that cannot be cast.
        """
        bad, warnings = self.is_bad, self.warnings
        failing = bad if warnings is None else bad | warnings.isNotNull()
        return self.rows.agg(
            F.count_if(~bad).alias("rows_out"),
            F.count_if(bad).alias("rows_quarantined"),
            F.count_if(failing).alias("rows_failing"),
            F.count_if(unmatched(self.view)).alias("null_rows"),
            F.count_if(~bad & null_unique(self.view)).alias("null_unique_rows"),
            F.unix_micros(F.max(F.when(~bad, F.col(EVENT_TIME)))).alias("newest"),
            F.coalesce(F.sum(F.when(~bad, bytes_of_row(self.good))), F.lit(0)).alias("bytes"),
        ).collect()[0]


def batch_rows(view: FeatureView, stored: DataFrame) -> BatchRows:
    """Return the rows of a batch without expectations, each with what is wrong with it.

    Args:
        view: The view.
        stored: The rows that its table would have.
    """
    return BatchRows(view, stored, is_bad=unmatched(view), reasons=unmatched_reasons(view))


@contextmanager
def batch_rows_once(
    view: FeatureView, stored: DataFrame, validation: Validation | None, staging: str
) -> Iterator[BatchRows]:
    """Give the rows of a batch, each with what is wrong with it, and release them at the end.

    They are computed once. Rows with expectations are written to a folder first. A cache would not
    do: Spark computes what is lost of it again, and the table and the quarantine must come from
    one evaluation.

    Args:
        view: The view.
        stored: The rows that its table would have.
        validation: The checks; None if the view has no expectations.
        staging: The folder for rows with expectations.
    """
    if validation is None:
        cached = stored.persist()
        try:
            yield batch_rows(view, cached)
        finally:
            cached.unpersist()
        return
    try:
        rows = masked(view, stored, validation)
        rows.write.mode("overwrite").parquet(staging)
        staged = rows.sparkSession.read.schema(rows.schema).parquet(staging)
        yield BatchRows(
            view,
            staged,
            is_bad=F.col(REASONS).isNotNull(),
            reasons=F.col(REASONS),
            warnings=F.col(WARNINGS),
        )
    finally:
        remove_folder(staging)


def with_history(batch: BatchRows, history: DataFrame | None) -> BatchRows:
    """Return a batch with the rows of an earlier table, which no check keeps out.

    Args:
        batch: The batch.
        history: The rows, with the stored columns; None for none.
    """
    if history is None:
        return batch
    return replace(batch, rows=batch.rows.unionByName(history, allowMissingColumns=True))


def failures(batch: BatchRows) -> dict[str, int]:
    """Return how many rows of a batch fail each check, by name."""
    names = [batch.reasons] if batch.warnings is None else [batch.reasons, batch.warnings]
    every = F.flatten(
        F.array(*(F.coalesce(each, F.array().cast("array<string>")) for each in names))
    )
    counted = batch.rows.select(F.explode(every).alias("name")).groupBy("name").count()
    return {row["name"]: row["count"] for row in counted.collect()}


def row_struct(view: FeatureView) -> Column:
    """Return the stored columns of a row as one struct."""
    return F.struct(*(F.col(spark_name(name)) for name in stored_columns(view)))
