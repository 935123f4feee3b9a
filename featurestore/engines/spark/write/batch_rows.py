"""The rows of one batch while it is stored: which are good, and what is wrong with the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, replace

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.transform.stored_rows import unmatched, unmatched_reasons
from featurestore.engines.spark.write.masks import REASONS, WARNINGS, Validation, masked
from featurestore.quoting import spark_name
from featurestore.store.columns import stored_columns
from featurestore.store.delta.cleanup import remove_folder


@dataclass(frozen=True)
class BatchRows:
    """The rows of one batch. They are computed once, however often they are read.

    Args:
        rows: The rows that the view's table would have, and columns with what is wrong.
        is_bad: Whether a row is kept out of the table.
        reasons: The names of what keeps it out.
        warnings: The names of failed checks that do not keep it out; None without such checks.
    """

    rows: DataFrame
    _: KW_ONLY
    is_bad: Column
    reasons: Column
    warnings: Column | None = None

    @property
    def good(self) -> DataFrame:
        """The rows to store, without the other columns."""
        return self.rows.where(~self.is_bad).drop(REASONS, WARNINGS)


@contextmanager
def batch_rows_once(
    view: FeatureView, stored: DataFrame, validation: Validation | None, staging: str
) -> Iterator[BatchRows]:
    """Give the rows of a batch, each with what is wrong with it, and release them at the end.

    Rows with expectations are written to a folder first. A cache would not do: Spark computes
    what is lost of it again, and the table and the quarantine must come from one evaluation.

    Args:
        view: The view.
        stored: The rows that its table would have.
        validation: The checks; None if the view has no expectations.
        staging: The folder for rows with expectations.
    """
    if validation is None:
        cached = stored.persist()
        try:
            yield BatchRows(cached, is_bad=unmatched(view), reasons=unmatched_reasons(view))
        finally:
            cached.unpersist()
        return
    try:
        rows = masked(view, stored, validation)
        rows.write.mode("overwrite").parquet(staging)
        staged = rows.sparkSession.read.schema(rows.schema).parquet(staging)
        yield BatchRows(
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
