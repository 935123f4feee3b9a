"""The commit of a batch's bad rows to the quarantine, before the batch is stored."""

from datetime import datetime

from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.source.messages import MESSAGE
from featurestore.engines.spark.write.batch_rows import BatchRows, row_struct
from featurestore.errors import MaterializationError
from featurestore.store import quarantine as q
from featurestore.store.delta.log import last_written_rows

_DIGITS = 16


def commit_quarantine(
    view: FeatureView, batch: BatchRows, uri: str, notes: q.QuarantineNotes, now: datetime
) -> None:
    """Append the bad rows of a batch to the quarantine, in one commit.

    The commit has a transaction of its own for each run: a run that repeats the batch of a
    crashed run has removed that run's rows, and Delta must not take its commit for a repetition.

    Args:
        view: The view.
        batch: The batch.
        uri: The address of the quarantine.
        notes: What the commit says about the batch.
        now: The time of the run.
    """
    chosen = F.substring(F.replace(F.expr("uuid()"), F.lit("-"), F.lit("")), 1, _DIGITS)
    rows = batch.rows.where(batch.is_bad).select(
        chosen.alias(q.ID),
        F.lit(notes.run_id).alias(q.RUN),
        F.lit(notes.generation).cast("int").alias(q.GENERATION),
        F.lit(notes.batch_id).cast("bigint").alias(q.BATCH),
        batch.reasons.alias(q.REASONS),
        F.lit(now).alias(q.QUARANTINED_AT),
        F.lit(None).cast("timestamp").alias(q.RELEASED_AT),
        F.lit(None).cast("string").alias(q.RELEASE),
        row_struct(view).alias(q.ROW),
        *([F.col(MESSAGE).alias(q.MESSAGE)] if MESSAGE in batch.rows.columns else []),
    )
    # Without statistics: a time outside of the years 1 to 9999 has none that can be read.
    # Few rows, but a coalesce would look for them by one task.
    rows.repartition(1).write.format("delta").mode("append").options(
        **{"delta.dataSkippingNumIndexedCols": "0"},
        txnAppId=f"{notes.run_id}/{notes.generation}",
        txnVersion=str(notes.batch_id),
        userMetadata=notes.to_json(),
    ).save(uri)
    require_written(view, uri, notes.rows)


def require_written(view: FeatureView, uri: str, rows: int) -> None:
    """Check that a commit has the counted rows: what was read is stored or in quarantine.

    Args:
        view: The view.
        uri: The address of the table.
        rows: The number of rows that were counted.

    Raises:
        MaterializationError: By Delta's own count, the newest commit has others.
    """
    written = last_written_rows(uri)
    if written not in (None, rows):
        raise MaterializationError(
            f"materialize view {view.name!r}",
            f"{rows:,} rows were counted for table {uri}, and its newest commit has {written:,}",
            f"Rebuild the table with `featurestore materialize {view.name} --full`. Please report "
            "it: a transform that gives other rows each time is refused before it runs.",
        )
