"""The exact conversion of a source's time columns to UTC timestamps.

| Type of the column | Required on the source |
|---|---|
| TIMESTAMP | nothing: it is already a moment |
| TIMESTAMP_NTZ, DATE | ``timezone=`` |
| text | an offset in each value, or ``timezone=`` for values without one |
| integer | ``unit=`` |
"""

from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.source import StoredSource
from featurestore.engines.spark.errors.transport import refusal
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
    """A time column and its source.

    Args:
        name: The column's name.
        dtype: Its Spark type.
        source: Its source, for ``timezone`` and ``unit``.
    """

    name: str
    dtype: T.DataType
    source: StoredSource

    @property
    def call(self) -> str:
        """The operation, for error messages."""
        return f"read times of column {self.name!r} of source {self.source.name!r} " + (
            f"({self.source.origin})"
        )


def moment(time: TimeColumn) -> Column:
    """Return the column as TIMESTAMP.

    The expression must run in a session whose time zone is UTC, such as that of `own_session`. A
    text that is no time stops the query with a `SourceError` that names the value.

    Raises:
        SourceError: The column's type needs ``timezone=`` or ``unit=``, or cannot be converted.
    """
    column, dtype = F.col(quoted(time.name)), time.dtype
    if isinstance(dtype, T.TimestampType):
        return column
    if isinstance(dtype, (T.TimestampNTZType, T.DateType)):
        return _in_zone(column.cast("timestamp_ntz"), _zone(time))
    if isinstance(dtype, T.StringType):
        return _from_text(time, column)
    if isinstance(dtype, _INTEGERS):
        return _of_unit(time, column)
    raise SourceError(
        time.call,
        f"its type {dtype.simpleString()} cannot be converted to an exact time",
        "Cast it to a timestamp in the view's transform or in the source.",
    )


def quoted(name: str) -> str:
    """Return a column's name quoted for Spark's parser.

    Example:
        >>> quoted("a`b.c")
        '`a``b.c`'
    """
    return "`" + name.replace("`", "``") + "`"


def _zone(time: TimeColumn) -> str:
    if time.source.timezone is None:
        raise SourceError(
            time.call,
            f"its type {time.dtype.simpleString()} has no time zone",
            "Add timezone='UTC' (or for example 'Europe/Paris') to the source.",
        )
    return time.source.timezone


def _in_zone(local: Column, zone: str) -> Column:
    # The session's time zone is UTC, so the cast from NTZ does not shift the time.
    return F.convert_timezone(F.lit(zone), F.lit("UTC"), local).cast("timestamp")


def _from_text(time: TimeColumn, column: Column) -> Column:
    whole = F.regexp_replace(column, _NO_SECONDS, "$1:00$2")
    aware = F.when(column.rlike(_DAY + _TIME + _OFFSET), whole.try_cast("timestamp"))
    zone = time.source.timezone
    if zone is None:
        problem = "a time without an offset, or no time"
        fix = (
            "Write an offset in each value, e.g. '2026-01-31T09:30:00+01:00', or add "
            "timezone='UTC' (or another) to the source."
        )
        value = aware
    else:
        local = F.when(column.rlike(_DAY + f"({_TIME})?$"), column.try_cast("timestamp_ntz"))
        value = F.coalesce(aware, _in_zone(local, zone))
        problem = "no time"
        fix = "Write times as '2026-01-31 09:30:00', or filter such rows in the transform."
    found = F.concat(F.lit("the value '"), column, F.lit(f"' is {problem}"))
    refused = refusal(time.call, found, fix).cast("timestamp")
    return F.when(column.isNotNull() & value.isNull(), refused).otherwise(value)


def _of_unit(time: TimeColumn, column: Column) -> Column:
    if time.source.unit is None:
        raise SourceError(
            time.call,
            f"it has integers ({time.dtype.simpleString()}), and the source declares no unit",
            "Add unit='s', 'ms' or 'us' (since 1970-01-01 UTC) to the source.",
        )
    return _OF_UNIT[time.source.unit](column.cast("bigint"))
