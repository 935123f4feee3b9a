"""What marks a source's rows: their times, their order, and whether something is gone."""

from dataclasses import KW_ONLY, dataclass
from functools import singledispatch

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.source import DeltaSource, FileSource, StoredSource
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.source.timestamps import TimeColumn, moment, quoted
from featurestore.engines.spark.transform.change_feed import is_feed
from featurestore.engines.spark.transform.row_metadata import ROW_METADATA
from featurestore.store.columns import EVENT_TIME
from featurestore.times import parse_duration


@dataclass(frozen=True)
class Marks:
    """The marks of a row as expressions over the transformed rows.

    Args:
        event: When it happened.
        available: When it could first be known, with the view's delay.
        sequence: What orders rows of equal times; None where nothing does.
        deleted: Whether it says that something is gone; None where no row does.
    """

    event: Column
    _: KW_ONLY
    available: Column
    sequence: Column | None = None
    deleted: Column | None = None


def marks(view: FeatureView, schema: T.StructType) -> Marks:
    """Return the marks of a view's transformed rows.

    Args:
        view: The view.
        schema: The transformed rows' schema.
    """
    return _marks(view.source, view, schema)


def unique_column(view: FeatureView, name: str) -> Column:
    """Return a column of a view's transformed rows that is stored for the names of events only."""
    part = f"{ROW_METADATA}.unique.{quoted(name)}"
    return F.col(part).alias(name) if isinstance(view.source, FeatureView) else F.col(quoted(name))


@singledispatch
def _marks(source: object, view: FeatureView, schema: T.StructType) -> Marks:
    raise TypeError(source)


@_marks.register(DeltaSource)
@_marks.register(FileSource)
def _(source: StoredSource, view: FeatureView, schema: T.StructType) -> Marks:
    event = _moment(source, source.timestamp_field, schema)
    field = source.available_timestamp_field
    known = None if field is None else _moment(source, field, schema)
    delay = parse_duration(view.available_delay)
    if is_feed(source):
        return Marks(
            event,
            available=_changed(event, known, delay),
            sequence=F.col(f"{ROW_METADATA}.seq"),
            deleted=_retracts(source.deleted_field),
        )
    return Marks(
        event,
        # A null stays null: the kernel takes it as known from the event on, ranked lowest.
        available=_later(event if known is None else known, delay),
        sequence=_column(source.sequence_field, "bigint"),
        deleted=_column(source.deleted_field, "boolean"),
    )


@_marks.register
def _(source: FeatureView, view: FeatureView, schema: T.StructType) -> Marks:
    """A derived row is known no sooner than the row that it comes from.

    That one is known from the later of its two times on. A transform that moves the event back,
    say to its day's beginning, may not make it known sooner.
    """
    happened, known = F.col(f"{ROW_METADATA}.event"), F.col(f"{ROW_METADATA}.available")
    event = F.col(EVENT_TIME)
    floor = F.greatest(happened, F.coalesce(known, _later(happened, source.total_available_delay)))
    return Marks(
        event,
        available=_later(
            F.when(event < happened, floor).otherwise(known), parse_duration(view.available_delay)
        ),
        sequence=F.col(f"{ROW_METADATA}.seq") if view.has_sequence else None,
        deleted=F.col(f"{ROW_METADATA}.deleted") if view.has_tombstones else None,
    )


def _changed(event: Column, known: Column | None, delay: int) -> Column:
    """When a row of a change feed is known: its own time in the first snapshot, else its commit.

    Revisions are ordered by it first. Without a time of the rows' own only the commits may order
    them, or an event that is moved from next week to tomorrow would lose to what it was before:
    hence a null, which is known from the event on and ranks lowest, in the snapshot.
    """
    commit = F.timestamp_micros(f"{ROW_METADATA}.at")
    first = F.lit(None).cast("timestamp") if known is None else known
    own = event if known is None else known
    later = commit if known is None and not delay else F.greatest(own, commit)
    return _later(F.when(commit.isNull(), first).otherwise(later), delay)


def _retracts(deleted_field: str | None) -> Column:
    by_change = F.col(f"{ROW_METADATA}.deleted")
    declared = _column(deleted_field, "boolean")
    return by_change if declared is None else by_change | F.coalesce(declared, F.lit(False))


def _later(known: Column, delay: int) -> Column:
    return F.timestamp_micros(F.unix_micros(known) + F.lit(delay)) if delay else known


def _moment(source: StoredSource, name: str, schema: T.StructType) -> Column:
    return moment(TimeColumn(name, schema[name].dataType, source))


def _column(name: str | None, kind: str) -> Column | None:
    return None if name is None else F.col(quoted(name)).cast(kind)
