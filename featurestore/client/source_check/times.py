"""A look at the times of a source: types without a zone or a unit, and texts that are no times."""

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.client.source_check.columns import SourceColumns
from featurestore.definitions.model.source import StoredSource
from featurestore.definitions.model.types import SCALARS, Field, Timestamp
from featurestore.engines.arrays import first_failure, is_text
from featurestore.engines.files.advice import text_advice
from featurestore.engines.time_texts import TimeTextError, have_offset, parse_texts, trimmed
from featurestore.store.columns import UTC_MICROS, arrow_type

_LOCAL = pa.timestamp("us")
_ZONE = "Add timezone='UTC' (or for example 'Europe/Paris') to the source."


def type_name(actual: pa.DataType) -> str:
    """Return a column's type as definitions write it, where they have one.

    Example:
        >>> type_name(pa.int64()), type_name(pa.int8())
        ('Int64', 'int8')
    """
    return next((str(each) for each in SCALARS if arrow_type(each).equals(actual)), str(actual))


def type_problem(column: str, source: StoredSource, columns: SourceColumns) -> str:
    """Return why values of a column's type are no times; ``""`` if they may be.

    Args:
        column: A time column.
        source: Its source.
        columns: The columns of its data.
    """
    actual = columns.types.get(column)
    where = f"column {column!r} of {columns.origin}"
    if actual is None or is_text(actual) or pa.types.is_null(actual):
        return ""
    if pa.types.is_timestamp(actual):
        naive = actual.tz is None and source.timezone is None
        return f"{where} has times without a time zone. {_ZONE}" if naive else ""
    if pa.types.is_date(actual):
        return f"{where} has days without a time zone. {_ZONE}" if source.timezone is None else ""
    if pa.types.is_integer(actual):
        fix = "Add unit='s', 'ms' or 'us' (since 1970-01-01 UTC) to the source."
        return f"{where} has whole numbers. {fix}" if source.unit is None else ""
    return f"{where} is {type_name(actual)}, which is no time. Cast it in the data."


def text_problem(column: str, values: pa.Array, source: StoredSource) -> str:
    """Return what is wrong with the first values of a time column; ``""`` if nothing is.

    Args:
        column: The column's name.
        values: Texts of times, or times without a zone. Those of another type are not looked at.
        source: The source, for its time zone.
    """
    if pa.types.is_timestamp(values.type) and values.type.tz is None:
        return _local_problem(pa.chunked_array([values.cast(_LOCAL)]), source)
    if not is_text(values.type):
        return ""
    texts = trimmed(pa.chunked_array([values]))
    offsets = have_offset(texts).fill_null(False)
    for kind, chosen in ((UTC_MICROS, offsets), (_LOCAL, pc.invert(offsets))):
        part = pc.if_else(chosen, texts, None)
        try:
            times = parse_texts(part, kind)
        except TimeTextError as error:
            text = texts[error.position].as_py()
            advice = text_advice(Field(column, Timestamp), text)
            return (
                f"has the value {text!r} in row {error.position + 1}, which is no time. {advice}"
            )
        if kind == _LOCAL and (problem := _local_problem(times, source)):
            return problem
    return ""


def _local_problem(times: pa.ChunkedArray, source: StoredSource) -> str:
    """Return which time needs a zone, or came twice or never in the source's zone."""
    first = pc.index(times.is_valid(), True).as_py()
    if first < 0:
        return ""
    zone = source.timezone
    if zone is None:
        text = times[first].cast(pa.string()).as_py()
        return f"has times without an offset, such as {text!r} in row {first + 1}. {_ZONE}"
    try:
        pc.assume_timezone(times, zone)
    except pa.ArrowInvalid:
        wrong = first_failure(times, lambda part: pc.assume_timezone(part, zone))
        text = times[wrong].cast(pa.string()).as_py()
        return (
            f"has the local time {text} in row {wrong + 1}, which came twice or never in {zone}. "
            "Write such times with an offset."
        )
    return ""
