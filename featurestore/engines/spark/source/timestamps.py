"""Source columns that carry a moment, as UTC timestamps: exactly, and in no session's zone.

| The column holds | What is needed |
|---|---|
| TIMESTAMP | nothing: it is a moment |
| TIMESTAMP_NTZ, DATE | the source's ``timezone=`` |
| text | an offset in each value, or the source's ``timezone=`` for those without |
| an integer | the source's ``unit=`` |
"""

from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.source import StoredSource
from featurestore.engines.spark.errors.transport import refuse
from featurestore.errors import SourceError

_INTEGERS = (T.ByteType, T.ShortType, T.IntegerType, T.LongType)
_OF_UNIT = {
    "s": F.timestamp_seconds,
    "ms": F.timestamp_millis,
    "us": F.timestamp_micros,
}
_DAY = r"^\s*[+-]?\d{4,6}-\d{1,2}-\d{1,2}"
_TIME = r"[T ]\d{1,2}:\d{2}(:\d{2}(\.\d{1,6}0*)?)?"
_OFFSET = r"\s*(Z|UTC|GMT|[+-]\d{1,2}(:?\d{2})?)\s*$"
# Spark parses an offset only after seconds.
_NO_SECONDS = r"([T ]\d{1,2}:\d{2})(\s*(?:Z|UTC|GMT|[+-]\d))"


@dataclass(frozen=True)
class TimeColumn:
    """A column that carries a moment, as its source declares it.

    Args:
        name: The column's name.
        found: Its Spark type.
        source: Its source, for ``timezone`` and ``unit``.
    """

    name: str
    found: T.DataType
    source: StoredSource

    @property
    def call(self) -> str:
        """What is being done, for error messages."""
        return f"read times of column {self.name!r} of source {self.source.name!r} " + (
            f"({self.source.origin})"
        )


def moment(time: TimeColumn) -> Column:
    """Return the column as TIMESTAMP; a value that is no moment stops the query, named.

    The expression runs in a session whose zone is UTC, as `writing.own_session` makes it.

    Raises:
        SourceError: The column's type needs ``timezone=`` or ``unit=``, or can hold no moment.
    """
    column, found = F.col(quoted(time.name)), time.found
    if isinstance(found, T.TimestampType):
        return column
    if isinstance(found, (T.TimestampNTZType, T.DateType)):
        return _in_zone(column.cast("timestamp_ntz"), _zone(time))
    if isinstance(found, T.StringType):
        return _from_text(time, column)
    if isinstance(found, _INTEGERS):
        return _of_unit(time, column)
    raise SourceError(
        time.call,
        f"its type {found.simpleString()} carries no exact moment",
        "Cast it to a timestamp in the view's transform or in the source.",
    )


def quoted(name: str) -> str:
    """Return a column's name as Spark's parser takes it, whatever characters it holds.

    Example:
        >>> quoted("a`b.c")
        '`a``b.c`'
    """
    return "`" + name.replace("`", "``") + "`"


def _zone(time: TimeColumn) -> str:
    if time.source.timezone is None:
        raise SourceError(
            time.call,
            f"its type {time.found.simpleString()} has no time zone: the moments are naive",
            "Say where its clock stood: timezone='UTC' or e.g. 'Europe/Paris' on the source.",
        )
    return time.source.timezone


def _in_zone(local: Column, zone: str) -> Column:
    # In a session whose zone is UTC the cast from NTZ keeps the clock's reading.
    return F.convert_timezone(F.lit(zone), F.lit("UTC"), local).cast("timestamp")


def _from_text(time: TimeColumn, column: Column) -> Column:
    whole = F.regexp_replace(column, _NO_SECONDS, "$1:00$2")
    aware = F.when(column.rlike(_DAY + _TIME + _OFFSET), whole.try_cast("timestamp"))
    zone = time.source.timezone
    if zone is None:
        found, fix = (
            "a time without an offset, or no time",
            (
                "Write an offset in each value, e.g. '2026-01-31T09:30:00+01:00', or say "
                "timezone='UTC' (or another) on the source."
            ),
        )
        value = aware
    else:
        naive = F.when(column.rlike(_DAY + f"({_TIME})?$"), column.try_cast("timestamp_ntz"))
        value = F.coalesce(aware, _in_zone(naive, zone))
        found, fix = (
            "no time",
            "Write times as '2026-01-31 09:30:00', or filter in the transform.",
        )
    sample = F.concat(F.lit("the value '"), column, F.lit(f"' is {found}"))
    refused = refuse(time.call, sample, fix).cast("timestamp")
    return F.when(column.isNotNull() & value.isNull(), refused).otherwise(value)


def _of_unit(time: TimeColumn, column: Column) -> Column:
    if time.source.unit is None:
        raise SourceError(
            time.call,
            f"it holds integers ({time.found.simpleString()}) of an unknown unit",
            "Give the source unit='s', 'ms' or 'us' (since 1970-01-01 UTC).",
        )
    return _OF_UNIT[time.source.unit](column.cast("bigint"))
