"""The columns that the store adds to a view's features: times, sequence, and tombstones."""

from dataclasses import KW_ONLY, dataclass
from functools import singledispatch

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.source import (
    DeltaSource,
    FileSource,
    KafkaSource,
    StoredSource,
)
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.source.timestamps import TimeColumn, moment
from featurestore.engines.spark.transform.change_feed import is_feed
from featurestore.engines.spark.transform.row_metadata import ROW_METADATA
from featurestore.quoting import spark_name
from featurestore.store.columns import EVENT_TIME
from featurestore.times import parse_duration

SNAPSHOT_TIME, SNAPSHOT_DELETED = "_snapshot_time", "_snapshot_deleted"
"""The columns that a run of a snapshot view adds: its time, and whether a key is gone."""


@dataclass(frozen=True)
class SystemColumns:
    """The store's own columns of a row, as expressions over the transformed rows.

    Args:
        event: The time of the event.
        available: The time at which the row could first be known, with the view's delay.
        sequence: The order of rows with equal times; None if there is none.
        deleted: Whether the row is a tombstone; None if no row is.
    """

    event: Column
    _: KW_ONLY
    available: Column
    sequence: Column | None = None
    deleted: Column | None = None


def system_columns(view: FeatureView, schema: T.StructType) -> SystemColumns:
    """Return the store's own columns for a view's transformed rows.

    Args:
        view: The view.
        schema: The transformed rows' schema.
    """
    return _system_columns(view.source, view, schema)


def unique_column(view: FeatureView, name: str) -> Column:
    """Return a ``unique_by`` column that is neither a key nor a feature of the view."""
    part = f"{ROW_METADATA}.unique.{spark_name(name)}"
    return (
        F.col(part).alias(name)
        if isinstance(view.source, FeatureView)
        else F.col(spark_name(name))
    )


@singledispatch
def _system_columns(source: object, view: FeatureView, schema: T.StructType) -> SystemColumns:
    raise TypeError(source)


@_system_columns.register(DeltaSource)
@_system_columns.register(FileSource)
@_system_columns.register(KafkaSource)
def _(source: StoredSource, view: FeatureView, schema: T.StructType) -> SystemColumns:
    if view.snapshot:
        return _snapshot_columns(view, schema)
    # A rule of definitions: a view without a snapshot has a source with times.
    event = _moment(source, source.timestamp_field or "", schema)
    field = source.available_timestamp_field
    available = None if field is None else _moment(source, field, schema)
    delay = parse_duration(view.available_delay)
    if is_feed(source):
        return SystemColumns(
            event,
            available=_changed(event, available, delay),
            sequence=F.col(f"{ROW_METADATA}.seq"),
            deleted=_retracts(source.deleted_field),
        )
    return SystemColumns(
        event,
        # A null stays null: for the kernel it means available from the event on, lowest in rank.
        available=_later(event if available is None else available, delay),
        sequence=_column(source.sequence_field, "bigint"),
        deleted=_column(source.deleted_field, "boolean"),
    )


@_system_columns.register
def _(source: FeatureView, view: FeatureView, schema: T.StructType) -> SystemColumns:
    """Return the system columns of a derived view.

    A derived row is available no earlier than its source row, which is visible from the later of
    its two times on. A transform may move the event back, for example to the beginning of its day;
    then that later time is the lower bound.
    """
    happened = F.col(f"{ROW_METADATA}.event")
    available = F.col(f"{ROW_METADATA}.available")
    event = F.col(EVENT_TIME)
    visible = F.coalesce(available, _later(happened, source.total_available_delay))
    floor = F.greatest(happened, visible)
    return SystemColumns(
        event,
        available=_later(
            F.when(event < happened, floor).otherwise(available),
            parse_duration(view.available_delay),
        ),
        sequence=F.col(f"{ROW_METADATA}.seq") if view.has_sequence else None,
        deleted=F.col(f"{ROW_METADATA}.deleted") if view.has_tombstones else None,
    )


def _snapshot_columns(view: FeatureView, schema: T.StructType) -> SystemColumns:
    """Return the system columns of a snapshot view.

    Rows that no run compared, such as those of a preview, hold from 1970 on.
    """
    first = F.timestamp_micros(F.lit(0))
    event = F.col(SNAPSHOT_TIME) if SNAPSHOT_TIME in schema.names else first
    deleted = F.col(SNAPSHOT_DELETED) if SNAPSHOT_DELETED in schema.names else F.lit(False)
    return SystemColumns(
        event,
        available=_later(event, parse_duration(view.available_delay)),
        deleted=F.coalesce(deleted, F.lit(False)),
    )


def _changed(event: Column, available: Column | None, delay: int) -> Column:
    """Return when a row of a change feed is available.

    In the first snapshot that is the row's own time, afterwards the time of its commit. Revisions
    are ordered by it first. If the source has no available time, only the commits may order the
    revisions: otherwise an event that is moved from next week to tomorrow would lose against its
    older revision. So the snapshot gets a null then, which means available from the event on, and
    ranks lowest.
    """
    commit = F.timestamp_micros(f"{ROW_METADATA}.at")
    first = F.lit(None).cast("timestamp") if available is None else available
    own = event if available is None else available
    later = commit if available is None and not delay else F.greatest(own, commit)
    return _later(F.when(commit.isNull(), first).otherwise(later), delay)


def _retracts(deleted_field: str | None) -> Column:
    by_change = F.col(f"{ROW_METADATA}.deleted")
    declared = _column(deleted_field, "boolean")
    return by_change if declared is None else by_change | F.coalesce(declared, F.lit(False))


def _later(time: Column, delay: int) -> Column:
    return F.timestamp_micros(F.unix_micros(time) + F.lit(delay)) if delay else time


def _moment(source: StoredSource, name: str, schema: T.StructType) -> Column:
    return moment(TimeColumn(name, schema[name].dataType, source))


def _column(name: str | None, kind: str) -> Column | None:
    return None if name is None else F.col(spark_name(name)).cast(kind)
