"""The run of a snapshot view: read the source whole, and store what changed since the last run.

A row that is new or has other values is stored with the time of the run. A key that the source no
longer has gets a tombstone of that time.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.source.readers import read_now
from featurestore.engines.spark.transform.run import transformed
from featurestore.engines.spark.transform.stored_rows import stored_rows, unmatched
from featurestore.engines.spark.transform.system_columns import SNAPSHOT_DELETED, SNAPSHOT_TIME
from featurestore.engines.spark.types import spark_type
from featurestore.engines.spark.write.batch import cause_named, commit_stored, unpersisted
from featurestore.engines.spark.write.cancel import run_cancellable
from featurestore.engines.spark.write.stream import Stream
from featurestore.errors import MaterializationError
from featurestore.quoting import spark_name
from featurestore.store.columns import DELETED, EVENT_TIME, used_columns
from featurestore.store.delta.log import is_table, last_transaction
from featurestore.store.fault_points import fault_point
from featurestore.times import from_micros, to_micros

_PRESENT, _STORED = "present", "stored"


def run_snapshot(spark: SparkSession, run: Stream) -> None:
    """Store the changes of a snapshot view's source since its last run, as one commit.

    Nothing is committed if there are none.

    Args:
        spark: A session of ours, by `session.child.own_session`.
        run: The run.

    Raises:
        SourceError: The source cannot be read as it is declared.
        MaterializationError: Two rows of the source have one key, or Spark failed.
        InterruptedRunError: The run was interrupted.
    """
    run.watch(0, 0, f"all rows of {run.source.name}")
    run.watch(1, run_cancellable(spark, run, lambda: _store_changes(spark, run)))


def _store_changes(spark: SparkSession, run: Stream) -> int:
    view, target = run.view, run.target
    with cause_named(view):
        fault_point("source.pinned", view.name)
        source = read_now(run.source, spark, run.reading.uri, used_columns(view))
        present = stored_rows(view, transformed(view, source)).persist()
        with unpersisted(present):
            _require_one_row_a_key(view, present)
            before = target.table if is_table(target.table) else run.history
            if before is not None and not run.full:
                _require_rows(view, present, spark.read.format("delta").load(before))
            rows, history = _new_rows(spark, run, present)
            with unpersisted(rows.persist()):
                done = last_transaction(target.table, target.application)
                number = 0 if done is None else done + 1
                return commit_stored(view, target, rows, number, delivery=present, history=history)


def _require_rows(view: FeatureView, present: DataFrame, stored: DataFrame) -> None:
    """Refuse an empty source where the table has rows: a failed export would delete all keys."""
    if not present.where(~unmatched(view)).isEmpty() or stored.isEmpty():
        return
    raise MaterializationError(
        f"materialize view {view.name!r} ({view.origin})",
        f"source {view.source.name!r} has no row with a key, so every key of the view would be "
        "deleted",
        "If the table was not written completely, write it again. If it is really empty, run "
        f"`featurestore materialize {view.name} --full`, which keeps the history.",
    )


def _new_rows(
    spark: SparkSession, run: Stream, present: DataFrame
) -> tuple[DataFrame, DataFrame | None]:
    """Return the changes to store, and the history before them for a new table."""
    view, table, history = run.view, run.target.table, None
    if is_table(table):
        stored = spark.read.format("delta").load(table)
    elif run.history is None:
        stored = None
    else:
        stored = history = _history(view, spark.read.format("delta").load(run.history))
    changes = present if stored is None else _changes(view, present, stored)
    moment = _moment(stored, run.target.started_at)
    rows = stored_rows(view, changes.withColumn(SNAPSHOT_TIME, F.lit(moment)))
    return rows, history


def _history(view: FeatureView, rows: DataFrame) -> DataFrame | None:
    """Return the stored rows of an earlier definition, in the form of this one.

    The source cannot give them again. A field that is new, or has another type, is null in them.
    Rows of other keys are of no use.
    """
    types = {field.name: field.dataType for field in rows.schema}
    keys = {key.name: spark_type(key.dtype) for key in view.join_keys}
    if any(types.get(name) != dtype for name, dtype in keys.items()):
        return None
    fields = [
        F.col(spark_name(field.name))
        if types.get(field.name) == spark_type(field.dtype)
        else F.lit(None).cast(spark_type(field.dtype)).alias(field.name)
        for field in view.schema
    ]
    own = (F.col(EVENT_TIME).alias(SNAPSHOT_TIME), F.col(DELETED).alias(SNAPSHOT_DELETED))
    return stored_rows(view, rows.select(*map(spark_name, keys), *fields, *own))


def _require_one_row_a_key(view: FeatureView, present: DataFrame) -> None:
    keys = _keys(view)
    rows = present.where(~unmatched(view))
    counts = rows.groupBy(*keys).agg(F.count(F.lit(1)).alias("rows")).where(F.col("rows") > 1)
    repeated = (counts.orderBy(*keys) if keys else counts).limit(1).collect()
    if not repeated:
        return
    key = ", ".join(f"{name.name}={repeated[0][name.name]!r}" for name in view.join_keys)
    raise MaterializationError(
        f"materialize view {view.name!r} ({view.origin})",
        f"source {view.source.name!r} has {repeated[0]['rows']} rows"
        + (f" with {key}" if key else ", and the view has no keys"),
        "A snapshot view needs one row for each key: select one in a transform, or add the column "
        "that tells them apart to the entity's join keys.",
    )


def _changes(view: FeatureView, present: DataFrame, stored: DataFrame) -> DataFrame:
    """Return the present rows that are new or differ, and tombstones of the keys that are gone."""
    newest = Window.partitionBy(*_keys(view)).orderBy(F.col(EVENT_TIME).desc())
    last = stored.withColumn("_rank", F.row_number().over(newest))
    last = last.where((F.col("_rank") == 1) & ~F.col(DELETED)).drop("_rank")
    names = [key.name for key in view.join_keys]
    fields = [field.name for field in view.schema]
    same = [_column(_PRESENT, name) == _column(_STORED, name) for name in names]
    equal = [_column(_PRESENT, name).eqNullSafe(_column(_STORED, name)) for name in fields]
    changed = present.alias(_PRESENT).join(last.alias(_STORED), _all([*same, *equal]), "left_anti")
    gone = last.alias(_STORED).join(present.alias(_PRESENT), _all(same), "left_anti")
    nulls = [F.lit(None).cast(last.schema[name].dataType).alias(name) for name in fields]
    tombstones = gone.select(*map(spark_name, names), *nulls).withColumn(
        SNAPSHOT_DELETED, F.lit(True)
    )
    columns = [*map(spark_name, (*names, *fields))]
    return changed.select(*columns).unionByName(tombstones, allowMissingColumns=True)


def _moment(stored: DataFrame | None, started_at: datetime) -> datetime:
    """Return the time of the changes: that of the run, but after all stored ones.

    The clock may have been set back since the last run.
    """
    if stored is None:
        return started_at
    newest = stored.agg(F.unix_micros(F.max(EVENT_TIME))).collect()[0][0]
    return started_at if newest is None else from_micros(max(to_micros(started_at), newest + 1))


def _keys(view: FeatureView) -> list[str]:
    return [spark_name(key.name) for key in view.join_keys]


def _column(side: str, name: str) -> Column:
    return F.col(f"{side}.{spark_name(name)}")


def _all(conditions: Sequence[Column]) -> Column:
    return reduce(Column.__and__, conditions, F.lit(True))
