"""The table of a repaired range: the other rows are copied, those of the range computed again.

It is a new table, in one commit. If the source has changed since the rows were read, all its rows
are computed and compared with the stored ones, by hashes of their values and of where they have
nulls: outside of the range, no stored row may differ. Rows that the source has got there since are
stored too, because the stream goes on after them.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime
from typing import cast

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.source import FileSource
from featurestore.engines.spark.source.file_rows import read_files
from featurestore.engines.spark.transform.inputs import rows_now
from featurestore.engines.spark.transform.run import transformed
from featurestore.engines.spark.transform.stored_rows import NULL_HASH, null_hash, stored_rows
from featurestore.engines.spark.write.batch import (
    cause_named,
    commit_rows,
    notes_of,
    quarantine_rows,
    require_gate,
)
from featurestore.engines.spark.write.batch_rows import BatchRows, batch_rows_once, with_history
from featurestore.engines.spark.write.cancel import run_cancellable
from featurestore.engines.spark.write.stream import InterruptedRunError, Stream, interrupted
from featurestore.errors import DataQualityError, SourceError
from featurestore.quoting import spark_name
from featurestore.store import quarantine as q
from featurestore.store.columns import (
    AVAILABLE_TIME,
    EVENT_TIME,
    ROW_HASH,
    stored_columns,
    used_columns,
)
from featurestore.store.commit import CommitNotes
from featurestore.store.delta.log import is_table
from featurestore.store.fault_points import fault_point
from featurestore.store.interval import Interval, repair_command, whole_days
from featurestore.store.lease import confirm_lease
from featurestore.store.source_files import SourceFile

_COUNT, _LATER = "_count", "_later"
_IDENTITY = [ROW_HASH, NULL_HASH]
"""The columns that two rows have in common if they have the same values."""


@dataclass(frozen=True)
class Repair:
    """One repair of a range.

    Args:
        run: The run. Its target is the new table.
        interval: The range.
        table: The address of the present table.
        table_version: The version of it that is copied.
        quarantine: The address of its quarantine.
        last_batch: The generation and the number of the newest batch that the present table has.
            Bad rows of a later batch are of another process: its table has not stored the batch
            yet, so the next run reads it again.
        batch_id: The number of the batch that the new table ends with.
        source_offset: The end of that batch in the source.
        source_commit: A hash of the newest commit that is read of a Delta source.
        version: The version to read of a Delta source; None for files.
        files: The files to read; empty for a Delta source.
        is_changed: Whether the source has changed since the rows were read.
        rows_before: The number of rows of the range that the present table has.
    """

    run: Stream
    _: KW_ONLY
    interval: Interval
    table: str
    table_version: int
    quarantine: str
    last_batch: tuple[int, int]
    batch_id: int
    source_offset: str | None
    source_commit: str | None
    version: int | None
    files: tuple[SourceFile, ...]
    is_changed: bool
    rows_before: int


def run_repair(spark: SparkSession, repair: Repair) -> None:
    """Write the new table and its quarantine; nothing if the range has no row, before and after.

    Args:
        spark: A session of ours, by `session.child.own_session`.
        repair: The repair.

    Raises:
        SourceError: The source cannot be read; or it has changed outside of the range too.
        DataQualityError: The expectations of the view stop the repair.
        MaterializationError: Spark failed.
        InterruptedRunError: The run was interrupted.
    """
    run = repair.run
    try:
        run.watch(0, 0, _what(repair))
        run.watch(1, run_cancellable(spark, run, lambda: _store(spark, repair)))
        if run.stop.is_set():  # Spark's last job had ended before it could be cancelled
            raise interrupted(run.view)
    except InterruptedRunError as error:
        fix = "Nothing was replaced. Run the same command again: it begins anew."
        raise InterruptedRunError(_call(repair), error.found, fix) from error


def _what(repair: Repair) -> str:
    """Return what is read, for people."""
    count = len(repair.files)
    if repair.version is None:
        return f"{count:,} file{'s' * (count != 1)} again"
    return f"version {repair.version} of {repair.run.source.name} again"


def _store(spark: SparkSession, repair: Repair) -> int:
    view, target = repair.run.view, repair.run.target
    with cause_named(view):
        fault_point("source.pinned", view.name)
        # A fixed version: Spark may read the table again after rows were added to it.
        reader = spark.read.format("delta").option("versionAsOf", str(repair.table_version))
        before = reader.load(repair.table)
        kept = before.where(~_in_range(repair)).select(*map(spark_name, stored_columns(view)))
        fresh = _with_later_times(spark, repair, before, _new_rows(spark, repair, kept))
        with batch_rows_once(view, fresh, target.validation, target.staging) as new:
            own = replace(
                notes_of(view, target, new, repair.batch_id),
                source_offset=repair.source_offset,
                source_commit=repair.source_commit,
                repair=_range(repair.interval),
            )
            notes = _with_copied(own, kept)
            fault_point("rows.computed", view.name)
            if not (repair.rows_before or repair.is_changed or notes.rows_in > notes.rows_copied):
                return 0  # the range has no row, neither in the table nor in the source
            checked = replace(notes, rows_out=notes.rows_out - notes.rows_copied)
            _require_gate(repair, checked)  # first: no command shows this quarantine
            copied = _copy_quarantine(spark, repair, new)
            quarantine_rows(view, target, new, checked)
            whole = replace(
                notes,
                rows_in=notes.rows_in + copied,
                rows_quarantined=notes.rows_quarantined + copied,
                bad_rows_copied=copied,
            )
            commit_rows(view, target, with_history(new, kept), whole)
            return checked.rows_out


def _with_copied(notes: CommitNotes, kept: DataFrame) -> CommitNotes:
    """Return the notes of a table that has the copied rows, too: nulls of these count once."""
    newest = F.unix_micros(F.max(EVENT_TIME))
    count, copied = kept.agg(F.count(F.lit(1)), newest).collect()[0]
    times = [each for each in (notes.max_event_timestamp, copied) if each is not None]
    return replace(
        notes,
        rows_in=notes.rows_in + count,
        rows_out=notes.rows_out + count,
        rows_copied=count,
        max_event_timestamp=max(times, default=None),
    )


def _require_gate(repair: Repair, checked: CommitNotes) -> None:
    """Check that the rows of the range may be stored.

    Raises:
        DataQualityError: The expectations of the view stop the repair.
    """
    view, validation = repair.run.view, repair.run.target.validation
    if validation is None:
        return
    try:
        require_gate(validation, checked.rows_out + checked.rows_quarantined, checked)
    except DataQualityError as error:
        raise DataQualityError(
            _call(repair),
            error.found,
            "Nothing was replaced, and no row is in quarantine. Correct the rows of the range in "
            f"source {view.source.name!r}. Or change the expectations, and run `featurestore "
            "apply`. Then run the same command again.",
        ) from error


def _call(repair: Repair) -> str:
    return f"repair {repair.interval} of view {repair.run.view.name!r} ({repair.run.view.origin})"


def _range(interval: Interval) -> tuple[str, str]:
    return interval.start.isoformat(), interval.end.isoformat()


def _in_range(repair: Repair) -> Column:
    event = F.col(EVENT_TIME)
    start, end = F.lit(repair.interval.start), F.lit(repair.interval.end)
    return F.coalesce((event >= start) & (event < end), F.lit(False))


def _new_rows(spark: SparkSession, repair: Repair, kept: DataFrame) -> DataFrame:
    """Return the rows of the range, and those that the changed source has got outside of it."""
    rows = _source_rows(spark, repair)
    if not repair.is_changed:
        return rows.where(_in_range(repair))
    others = _identified(repair, rows.where(~_in_range(repair)))
    stored = _identified(repair, kept).select(EVENT_TIME, *_IDENTITY)
    stored = stored.unionByName(_quarantined(spark, repair))
    _require_unchanged(repair, stored, others)
    known = stored.groupBy(*_IDENTITY).agg(F.count(F.lit(1)).alias(_COUNT))
    numbered = others.withColumn(
        "_number", F.row_number().over(Window.partitionBy(*_IDENTITY).orderBy(ROW_HASH))
    )
    added = numbered.join(known, _IDENTITY, "left").where(
        F.col("_number") > F.coalesce(F.col(_COUNT), F.lit(0))
    )
    columns = map(spark_name, rows.columns)
    return rows.where(_in_range(repair)).unionByName(added.select(*columns))


def _identified(repair: Repair, rows: DataFrame) -> DataFrame:
    return rows.withColumn(NULL_HASH, null_hash(repair.run.view, rows.schema))


def _source_rows(spark: SparkSession, repair: Repair) -> DataFrame:
    run, view = repair.run, repair.run.view
    if isinstance(run.source, FileSource):
        rows = read_files(run.source, spark, repair.files, used_columns(view))
    else:
        reader = spark.read.format("delta").option("versionAsOf", str(repair.version))
        rows = reader.load(run.reading.uri)
    return stored_rows(view, transformed(view, rows_now(view, rows)), run.target.start)


def _require_unchanged(repair: Repair, stored: DataFrame, others: DataFrame) -> None:
    """Refuse a source that lacks stored rows outside of the range.

    Raises:
        SourceError: It does. The message says where.
    """
    now = others.groupBy(*_IDENTITY).agg(F.count(F.lit(1)).alias("_now"))
    before = stored.groupBy(*_IDENTITY).agg(
        F.count(F.lit(1)).alias(_COUNT),
        F.min(EVENT_TIME).alias("_first"),
        F.max(EVENT_TIME).alias("_last"),
    )
    lacking = before.join(now, _IDENTITY, "left").where(
        F.col(_COUNT) > F.coalesce(F.col("_now"), F.lit(0))
    )
    rows, *ends = lacking.agg(
        F.sum(F.col(_COUNT) - F.coalesce(F.col("_now"), F.lit(0))),
        F.date_format(F.min("_first"), "yyyy-MM-dd'T'HH:mm:ss'Z'"),
        F.date_format(F.max("_last"), "yyyy-MM-dd'T'HH:mm:ss'Z'"),
    ).collect()[0]
    if not rows:
        return
    view = repair.run.view
    times = f", with events from {ends[0]} to {ends[1]}" if ends[0] else ""
    raise SourceError(
        _call(repair),
        f"source {view.source.name!r} has also changed outside of the range: it lacks {rows:,} "
        f"stored rows{times}",
        f"Nothing was stored. Choose a range with these events too{_wider(repair, ends)}. Or run "
        f"`featurestore materialize {view.name} --full`, which builds the view from the source's "
        "present rows.",
    )


def _wider(repair: Repair, ends: Sequence[str | None]) -> str:
    """Return the command for a range with the days from one moment to another too."""
    moments = [datetime.fromisoformat(each) for each in ends if each]
    if not moments:  # rows without an event time
        return ""
    requested, found = repair.interval, whole_days(min(moments), max(moments))
    both = Interval(min(requested.start, found.start), max(requested.end, found.end))
    return f": {repair_command(repair.run.view.name, both)}"


def _stored_quarantine(spark: SparkSession, repair: Repair) -> DataFrame | None:
    if not is_table(repair.quarantine):
        return None
    rows = spark.read.format("delta").load(repair.quarantine)
    generation, batch = repair.last_batch
    is_last = F.col(q.GENERATION) == generation
    return rows.where((F.col(q.GENERATION) < generation) | is_last & (F.col(q.BATCH) <= batch))


def _quarantined(spark: SparkSession, repair: Repair) -> DataFrame:
    """Return the times and hashes of the rows that are in quarantine, outside of the range."""
    rows = _stored_quarantine(spark, repair)
    if rows is None:
        columns = f"{EVENT_TIME} timestamp, {ROW_HASH} bigint, {NULL_HASH} bigint"
        return spark.createDataFrame([], columns)
    kept = _with_row(repair, rows.where(F.col(q.RELEASED_AT).isNull()))
    return kept.where(~_in_range(repair)).select(EVENT_TIME, *_IDENTITY)


def _with_row(repair: Repair, rows: DataFrame) -> DataFrame:
    """Return rows of a quarantine with the event time and the identity of the rows in them."""
    schema, prefix = rows.schema[q.ROW].dataType, f"{q.ROW}."
    return rows.withColumns(
        {
            **{name: F.col(f"{prefix}{name}") for name in (EVENT_TIME, ROW_HASH)},
            NULL_HASH: null_hash(repair.run.view, cast("T.StructType", schema), prefix),
        }
    )


def _with_later_times(
    spark: SparkSession, repair: Repair, before: DataFrame, rows: DataFrame
) -> DataFrame:
    """Return the rows with the available times of released ones: no earlier than the release."""
    quarantine = _stored_quarantine(spark, repair)
    if quarantine is None:
        return rows
    ids = _with_row(repair, quarantine.where(F.col(q.RELEASED_AT).isNotNull()))
    released = (
        _identified(repair, before.where(_in_range(repair)))
        .join(ids.select(*_IDENTITY).distinct(), _IDENTITY, "left_semi")
        .groupBy(*_IDENTITY)
        .agg(F.max(AVAILABLE_TIME).alias(_LATER))
    )
    later = F.greatest(F.col(AVAILABLE_TIME), F.col(_LATER))
    joined = _identified(repair, rows).join(released, _IDENTITY, "left")
    joined = joined.withColumn(
        AVAILABLE_TIME, F.when(F.col(_LATER).isNotNull(), later).otherwise(F.col(AVAILABLE_TIME))
    )
    return joined.select(*map(spark_name, stored_columns(repair.run.view)))


def _copy_quarantine(spark: SparkSession, repair: Repair, new: BatchRows) -> int:
    """Copy what stays in quarantine, and return the number of its rows.

    These are the rows outside of the range, and released ones that the table still has.
    """
    rows, view, target = _stored_quarantine(spark, repair), repair.run.view, repair.run.target
    count = 0
    if rows is not None:
        inside = _in_range(repair)
        identified = _with_row(repair, rows)
        released = identified.where(inside & F.col(q.RELEASED_AT).isNotNull())
        good = _identified(repair, new.good).select(*_IDENTITY).distinct()
        stays = identified.where(~inside).unionByName(released.join(good, _IDENTITY, "left_semi"))
        copied = stays.drop(EVENT_TIME, *_IDENTITY).withColumns(
            {
                q.GENERATION: F.lit(target.generation).cast("int"),
                q.BATCH: F.lit(repair.batch_id).cast("bigint"),
            }
        )
        count = copied.count()
        confirm_lease(target.lock, f"quarantine rows of view {view.name!r}")
        copied.coalesce(1).write.format("delta").mode("append").options(
            **{"delta.dataSkippingNumIndexedCols": "0"}
        ).save(target.quarantine)
    fault_point("quarantine.copied", view.name)
    return count
