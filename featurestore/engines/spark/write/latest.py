"""A view's ``latest`` table: one row for each key, with the features as of the row's ``as_of``.

The table is an export for SQL and BI tools. The store's own look-ups never read it. Spark's tasks
answer ranges of keys with the engine in process, from the pinned feature table: no row is
shuffled. An as-of view's files are written again only where a key has changed (ADR 42): the other
rows keep the ``as_of`` of the refresh that wrote them.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from pyspark.sql import DataFrame, SparkSession

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.latest.answer import REFRESH, ROWS_PER_ANSWER, LatestTask
from featurestore.engines.latest.freshness import is_fresh, latest_notes
from featurestore.engines.latest.plan import ChangedKeys, WholeTable, plan_refresh
from featurestore.engines.latest.ranges import KeyRange, SizedRange, key_ranges
from featurestore.engines.latest.refreshed import Refreshed, commit_rewritten
from featurestore.engines.spark.errors.mapping import spark_errors
from featurestore.engines.spark.latest.scan import (
    rewritten_files,
    scanned_answers,
)
from featurestore.engines.spark.latest.shuffle import shuffled_answers
from featurestore.engines.spark.retrieve.probe import probe, probe_write
from featurestore.engines.spark.retrieve.task import TableVersion
from featurestore.engines.spark.session.executors import is_cluster
from featurestore.engines.spark.types import plain_texts
from featurestore.errors import SumOverflowError
from featurestore.query.compile import compile_view
from featurestore.store.delta.protocol import check_plain
from featurestore.store.delta.snapshot import Snapshot, open_snapshot
from featurestore.store.failures import storage_errors
from featurestore.store.fault_points import fault_point
from featurestore.store.layout import Layout
from featurestore.store.lease import confirm_lease, held_lock
from featurestore.times import to_micros

# About how many stored rows a task answers, so that its file has the keys of that many rows.
ROWS_PER_TASK = 1_000_000
# Ranges are divided by the first join key only. Above this, few first keys have most rows.
_MOST_ROWS_PER_RANGE = 8 * ROWS_PER_ANSWER
UNREADABLE = "Spark's tasks cannot open the feature table"
UNWRITABLE = "Spark's tasks cannot write files of the latest table"


def refresh(
    spark: SparkSession, layout: Layout, view: FeatureView, table_id: str, now: datetime
) -> Refreshed:
    """Bring the view's ``latest`` table to a moment, in one commit.

    Args:
        spark: A session of ours, by `session.child.own_session`.
        layout: The addresses of the tables.
        view: The view; its transform is not run.
        table_id: The build of the view's table to read.
        now: The moment of the answers.

    Raises:
        SumOverflowError: A sum does not fit the feature's type.
        TableError: The view's table is missing, or its log names a file outside of it.
    """
    latest, table = layout.latest(view.name), layout.features(view.name, table_id)
    # Spark follows the paths of a log wherever they lead.
    check_plain(table)
    notes = latest_notes(layout, view, table_id)
    call = f"{REFRESH} of view {view.name!r} ({view.origin})"
    with _named_overflow(), spark_errors(call, view=view.name), storage_errors(call, latest):
        # The caller holds the view's lock, so the newest version is the same throughout.
        features = open_snapshot(table)
        query, moment = compile_view(view), to_micros(now)
        task = LatestTask(query, as_of=moment, uri=table, version=features.version)
        plan = plan_refresh(latest, task, features, notes)
        noted = json.dumps(notes | {"as_of": now.isoformat()})
        is_readable = _is_readable_in_tasks(spark, task)
        if is_readable and isinstance(plan, ChangedKeys) and not _is_writable(spark, plan):
            plan = WholeTable(UNWRITABLE)  # Java has its own ways to the storage
        if isinstance(plan, ChangedKeys) and is_readable:
            done = commit_rewritten(plan, rewritten_files(spark, task, plan), noted)
        else:
            rows = _answers(spark, view, task, features if is_readable else None)
            confirm_lease(held_lock(layout.view_lock(view.name)), call)
            done = _replace(rows, latest, noted, plan)
        fault_point("latest.published", view.name)
    check_plain(latest)
    return done


def refresh_if_stale(
    spark: SparkSession, layout: Layout, view: FeatureView, table_id: str, now: datetime
) -> Refreshed | None:
    """Refresh the ``latest`` table unless it has the newest version of the rows and definition.

    Returns:
        What was done; None if the table was fresh.
    """
    if is_fresh(layout, view, table_id):
        return None
    return refresh(spark, layout, view, table_id, now)


def _is_readable_in_tasks(spark: SparkSession, task: LatestTask) -> bool:
    """Return whether Spark's tasks can open the feature table, as this process can."""
    table = TableVersion(task.uri, task.version)
    return _is_local(spark) or not probe(spark, {task.query.view: table})


def _is_writable(spark: SparkSession, plan: ChangedKeys) -> bool:
    """Return whether Spark's tasks can write files into the folder of the ``latest`` table."""
    table = TableVersion(plan.latest.uri, plan.latest.version)
    return _is_local(spark) or probe_write(spark, table) is None


def _is_local(spark: SparkSession) -> bool:
    """Return whether tasks run on this machine, in processes of this user."""
    return not is_cluster(spark.conf.get("spark.master", "") or "")


def _replace(
    rows: DataFrame, latest: str, notes: str, plan: ChangedKeys | WholeTable
) -> Refreshed:
    """Write the whole table."""
    # Spark Connect gives the texts of Python functions a collation, which no other reader knows.
    plain_texts(rows).write.format("delta").mode("overwrite").options(
        overwriteSchema="true", userMetadata=notes
    ).save(latest)
    written = open_snapshot(latest)
    return Refreshed(
        written.version,
        keys=written.rows,
        files_written=written.files.num_rows,
        reason=plan.reason if isinstance(plan, WholeTable) else UNREADABLE,
    )


def _answers(
    spark: SparkSession, view: FeatureView, task: LatestTask, features: Snapshot | None
) -> DataFrame:
    """Return the rows of the whole table; without ``features``, tasks cannot read them."""
    first = next(iter(task.keys), None)
    ranges = [] if features is None else key_ranges(features, first, ROWS_PER_ANSWER)
    is_divided = len(task.keys) < 2 or all(each.rows <= _MOST_ROWS_PER_RANGE for each in ranges)
    if ranges and is_divided:
        return scanned_answers(spark, view, task, _of_tasks(ranges))
    # Without a version: to read a pinned one, Delta replays the log.
    return shuffled_answers(view, spark.read.format("delta").load(task.uri), task.as_of)


def _of_tasks(ranges: Sequence[SizedRange]) -> list[list[KeyRange]]:
    """Return the ranges of each task: consecutive ones, of about the same number of rows."""
    parts: list[list[KeyRange]] = []
    rows = ROWS_PER_TASK
    for each in ranges:
        if rows >= ROWS_PER_TASK:
            parts.append([])
            rows = 0
        parts[-1].append(each.keys)
        rows += each.rows
    return parts


@contextmanager
def _named_overflow() -> Iterator[None]:
    """Name the refresh in the message of a sum that overflows."""
    try:
        yield
    except SumOverflowError as error:
        raise error.within(REFRESH) from None
