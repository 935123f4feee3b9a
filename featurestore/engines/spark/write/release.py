"""The commit of released rows: from the quarantine to the feature table."""

from datetime import datetime

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.errors.mapping import spark_errors
from featurestore.engines.spark.write.batch import in_order
from featurestore.engines.spark.write.quarantine import require_written
from featurestore.errors import ConflictError
from featurestore.quoting import spark_name
from featurestore.store import quarantine as q
from featurestore.store.columns import AVAILABLE_TIME, EVENT_TIME, stored_columns
from featurestore.store.commit import CommitNotes, batch_commits
from featurestore.store.delta.log import last_transaction
from featurestore.store.lease import HeldLock, confirm_lease


def commit_released(  # noqa: PLR0913 - what a release is made of
    spark: SparkSession,
    view: FeatureView,
    *,
    quarantine: str,
    table: str,
    notes: CommitNotes,
    now: datetime,
    lock: HeldLock,
) -> None:
    """Append the rows that are marked for a release to the feature table, in one commit.

    They are available from the release on, or later. Their row hash stays that of the source's
    row, so that `verify` finds the row again in the source.

    Args:
        spark: A session of ours, by `session.child.own_session`.
        view: The view.
        quarantine: The address of the quarantine.
        table: The address of the feature table.
        notes: The notes of the commit, with the release as their run.
        now: The time of the release.
        lock: The view's lock, which the release holds.

    Raises:
        ConflictError: Another process has taken the lock, or has overwritten the commit.
        MaterializationError: The commit has another number of rows.
    """
    call = f"release rows of view {view.name!r}"
    with spark_errors(call, view=view.name):
        marked = (
            spark.read.format("delta").load(quarantine).where(F.col(q.RELEASE) == notes.run_id)
        )
        rows = _released(marked, view, now)
        application = f"{notes.table_id}/release"
        done = last_transaction(table, application)
        confirm_lease(lock, call)
        in_order(view, rows, 1).write.format("delta").mode("append").options(
            txnAppId=application,
            txnVersion=str(0 if done is None else done + 1),
            userMetadata=notes.to_json(),
        ).save(table)
        if not any(commit.notes.run_id == notes.run_id for commit in batch_commits(table)):
            raise ConflictError(
                call,
                "another process has committed to the table at the same time",
                "Nothing was released. Run the command again.",
            )
        require_written(view, table, notes.rows_out)


def _released(marked: DataFrame, view: FeatureView, now: datetime) -> DataFrame:
    """Return rows of the quarantine as they are stored: available from the release on."""
    rows = marked.select(*(f"{q.ROW}.{spark_name(name)}" for name in stored_columns(view)))
    delayed = F.unix_micros(EVENT_TIME) + F.lit(view.total_available_delay)
    own = F.coalesce(F.col(AVAILABLE_TIME), F.timestamp_micros(delayed))
    return rows.withColumn(AVAILABLE_TIME, F.greatest(F.lit(now), own))
