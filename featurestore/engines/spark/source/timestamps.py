"""The exact conversion of a source's time columns to UTC timestamps.

| Type of the column | Required on the source |
|---|---|
| TIMESTAMP | nothing: it is already a moment |
| TIMESTAMP_NTZ, DATE | ``timezone=`` |
| text | an offset in each value, or ``timezone=`` for values without one (`time_texts`) |
| integer | ``unit=`` |
"""

from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention
from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.source import StoredSource
from featurestore.engines.spark.errors.transport import refusal
from featurestore.engines.time_texts import CLOCK, DAY, OFFSET
from featurestore.errors import SourceError
from featurestore.quoting import spark_name

_INTEGERS = (T.ByteType, T.ShortType, T.IntegerType, T.LongType)
_OF_UNIT = {
    "s": (F.timestamp_seconds, 1),
    "ms": (F.timestamp_millis, 1_000),
    "us": (F.timestamp_micros, 1_000_000),
}
_MICROS = 1_000_000
# The second before year 1, and the first of year 10000, in microseconds: Python's times, which
# answers consist of, do not reach them.
_OUTSIDE = (-62_135_596_801 * _MICROS, 253_402_300_800 * _MICROS)
_TWICE = (
    "Write such times with an offset, e.g. '2026-10-25T02:30:00+01:00', or in UTC. To choose one "
    "of the two moments, read the column as text and convert it in the view's transform."
)
# Spines have no times of other years; those of sources are left out and counted.
_FAR_DAY = r"(?:[+-]?[1-9]\d{4,5}|-\d{4,6})-\d{1,2}-\d{1,2}"
_MOMENT = f"^(?:{DAY}|{_FAR_DAY}){CLOCK}{OFFSET}$"
_LOCAL = f"^(?:{DAY}|{_FAR_DAY})(?:{CLOCK})?$"
_OTHER_FORM = (
    "For times of another form, read the column as String, and convert it in the view's "
    "transform, e.g. by to_timestamp_ntz(column, 'dd.MM.yyyy HH:mm')."
)
_BLANKS = " \t\n\r\f\v"
# Spark parses an offset only after seconds.
_NO_SECONDS = r"([T ]\d{1,2}:\d{2})( *(?:Z|UTC|GMT|[+-]\d))"


@dataclass(frozen=True)
class TimeColumn:
    """A time column and its source.

    Args:
        name: The column's name.
        dtype: Its Spark type.
        source: Its source, for ``timezone`` and ``unit``.
        file: A text column with the file of each row, for error messages; None if there is none.
    """

    name: str
    dtype: T.DataType
    source: StoredSource
    file: Column | None = None

    @property
    def call(self) -> str:
        """The operation, for error messages."""
        return f"read times of column {self.name!r} of source {self.source.name!r} " + (
            f"({self.source.origin})"
        )


def moment(time: TimeColumn) -> Column:
    """Return the column as TIMESTAMP.

    The expression must run in a session whose time zone is UTC, such as that of `own_session`. A
    text that is no time, and a local time that its zone had twice or never, stop the query with a
    `SourceError` that names the value. A time outside of the years 1 to 9999 becomes the first
    moment outside of them, for `is_outside`.

    Raises:
        SourceError: The column's type needs ``timezone=`` or ``unit=``, or cannot be converted.
    """
    value = _moment(time)
    first, last = (F.timestamp_micros(F.lit(micros)) for micros in _OUTSIDE)
    return F.when(value < first, first).when(value > last, last).otherwise(value)


def is_outside(moment: Column) -> Column:
    """Return whether a time lies outside of the years 1 to 9999, which no answer can show."""
    micros = F.unix_micros(moment)
    return (micros <= F.lit(_OUTSIDE[0])) | (micros >= F.lit(_OUTSIDE[1]))


def _moment(time: TimeColumn) -> Column:
    column, dtype = F.col(spark_name(time.name)), time.dtype
    if isinstance(dtype, T.TimestampType):
        return column
    if isinstance(dtype, (T.TimestampNTZType, T.DateType)):
        return _in_zone(time, column.cast("timestamp_ntz"))
    if isinstance(dtype, T.StringType):
        return _from_text(time, column)
    if isinstance(dtype, _INTEGERS):
        return _of_unit(time, column)
    raise SourceError(
        time.call,
        f"its type {dtype.simpleString()} cannot be converted to an exact time",
        "Cast it to a timestamp in the view's transform or in the source.",
    )


def _zone(time: TimeColumn) -> str:
    if time.source.timezone is None:
        raise SourceError(
            time.call,
            f"its type {time.dtype.simpleString()} has no time zone",
            "Add timezone='UTC' (or for example 'Europe/Paris') to the source.",
        )
    return time.source.timezone


def _in_zone(time: TimeColumn, local: Column) -> Column:
    """Return the moment of a local time; a time that came twice or never stops the query."""
    zone = _zone(time)

    def to_utc(local: Column) -> Column:
        return F.convert_timezone(F.lit(zone), F.lit("UTC"), local)

    def from_utc(moment: Column) -> Column:
        return F.convert_timezone(F.lit("UTC"), F.lit(zone), moment)

    moment = to_utc(local)  # the first of two moments
    next_day = moment + F.expr("INTERVAL 1 DAY")
    # With the zone's offset of the next day, the same local time may be a second moment.
    second = local - (from_utc(next_day) - next_day)
    twice = (second != moment) & (from_utc(second) == local)
    never = from_utc(moment) != local
    problem = F.when(never, F.lit("never came")).otherwise(F.lit("came twice"))
    found = F.concat(F.lit("the local time "), local.cast("string"), F.lit(" "), problem)
    refused = refusal(time.call, _with_file(F.concat(found, F.lit(f" in {zone}")), time), _TWICE)
    # The session's time zone is UTC, so the cast from NTZ does not shift the time.
    return F.when(never | twice, refused.cast("timestamp")).otherwise(moment.cast("timestamp"))


def _with_file(found: Column, time: TimeColumn) -> Column:
    return found if time.file is None else F.concat(F.lit("file "), time.file, F.lit(": "), found)


def _from_text(time: TimeColumn, column: Column) -> Column:
    text = F.trim(column, F.lit(_BLANKS))
    whole = F.regexp_replace(text, _NO_SECONDS, "$1:00$2")
    is_moment, is_local = text.rlike(_MOMENT), text.rlike(_LOCAL)
    aware = F.when(is_moment, whole.try_cast("timestamp"))
    if time.source.timezone is None:
        problem = F.when(is_local, F.lit("a time without an offset")).otherwise(F.lit("no time"))
        value = aware
        fix = (
            "Write an offset in each value, e.g. '2026-01-31T09:30:00+01:00', or add "
            f"timezone='UTC' (or another) to the source. {_OTHER_FORM}"
        )
    else:
        problem = F.lit("no time")
        local = F.when(is_local, text.try_cast("timestamp_ntz"))
        value = F.coalesce(aware, _in_zone(time, local))
        fix = f"Write times as '2026-01-31 09:30:00'. {_OTHER_FORM}"
    found = F.concat(F.lit("the value '"), column, F.lit("' is "), problem)
    refused = refusal(time.call, _with_file(found, time), fix).cast("timestamp")
    return F.when(column.isNotNull() & value.isNull(), refused).otherwise(value)


def _of_unit(time: TimeColumn, column: Column) -> Column:
    if time.source.unit is None:
        raise SourceError(
            time.call,
            f"it has integers ({time.dtype.simpleString()}), and the source declares no unit",
            "Add unit='s', 'ms' or 'us' (since 1970-01-01 UTC) to the source.",
        )
    function, per_second = _OF_UNIT[time.source.unit]
    first, last = (micros // _MICROS * per_second for micros in _OUTSIDE)
    number = column.cast("bigint")
    bounded = F.when(number < first, F.lit(first)).when(number > last, F.lit(last))
    return function(bounded.otherwise(number))
