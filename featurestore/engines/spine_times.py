"""The times of a spine as UTC microseconds: converted exactly, or refused.

Every time column passes through here: from frames, files and dicts, timestamps and texts.
"""

from collections.abc import Callable
from datetime import tzinfo
from functools import partial
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.engines.arrays import decoded, first_failure, is_text
from featurestore.engines.time_texts import (
    DAY,
    TimeTextError,
    have_offset,
    parse_texts,
    trimmed,
)
from featurestore.errors import RequestError, SpineError
from featurestore.store.columns import UTC_MICROS
from featurestore.times import (
    FIRST_MICROS,
    LAST_MICROS,
    fixed_offset,
    timezone_problem,
    zone_name,
)

NullTimes = Literal["error", "keep"]
RowName = Callable[[int], str]
"""Returns how a message names a row, by the row's position: ``"row 3"``, or a file's line."""

_NANOS_PER_MICRO = 1000
_DATE = f"^{DAY}$"
_FINER = r"\.\d{6}0*[1-9]"


def row_name(position: int) -> str:
    """Return how a message names a row of a frame.

    Example:
        >>> row_name(1200)
        'row 1,200'
    """
    return f"row {position:,}"


def bind_times(
    call: str, name: str, column: pa.ChunkedArray, timezone: str | tzinfo | None
) -> pa.ChunkedArray:
    """Return a time column as UTC microseconds.

    Args:
        call: The user's call, for errors.
        name: The column's name, for errors.
        column: Timestamps, or texts of times.
        timezone: The time zone of times without one. None refuses such times.

    Raises:
        SpineError: A time has no zone, is no time, is finer than a microsecond, or lies outside
            the years 1 to 9999.
        RequestError: There is no such time zone.

    Example:
        >>> texts = pa.chunked_array([["2026-03-01T13:00:00+01:00"]])
        >>> bind_times("call()", "at", texts, None)[0].as_py().hour
        12
    """
    plain = decoded(column)
    if is_text(plain.type):
        texts, plain = plain, parse_times(call, name, plain)
        if plain.type.tz is None and timezone is None:
            raise _naive(call, name, f", such as {texts.drop_null()[0].as_py()!r}")
    if pa.types.is_null(plain.type):
        return pa.chunked_array([pa.nulls(len(plain), UTC_MICROS)])
    if not pa.types.is_timestamp(plain.type):
        raise SpineError(
            call, f"time column {name!r} has type {plain.type}", _type_advice(name, plain.type)
        )
    whole = _whole_micros(call, name, plain)
    _require_years(call, name, whole)
    times = _to_utc(call, name, whole, timezone)
    _require_years(call, name, times)
    return times


def parse_times(
    call: str, name: str, texts: pa.ChunkedArray, row: RowName = row_name
) -> pa.ChunkedArray:
    """Return texts of times as timestamps of microseconds.

    Args:
        call: The user's call, for errors.
        name: The column's name, for errors.
        texts: Texts of the grammar in `time_texts`, all with an offset or all without one.
        row: Names a row, for errors.

    Returns:
        Timestamps in UTC if the texts have offsets. Else timestamps without a zone.

    Raises:
        SpineError: A text is no time, is finer than a microsecond, or the texts are of several
            kinds: with and without an offset, or dates and times.

    Example:
        >>> parse_times("call()", "at", pa.chunked_array([["2026-03-01 13:00"]])).type
        TimestampType(timestamp[us])
    """
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid as error:
        problem = f"time column {name!r} has bytes that are no text: {error}"
        raise SpineError(call, problem, "Correct the text: it cannot be read.") from None
    written = trimmed(texts)
    offsets = have_offset(written)
    kind = _type_of(offsets)
    try:
        times = parse_texts(written, kind)
    except TimeTextError as error:
        raise _text_problem(call, name, written, error.position, row) from None
    dates = pc.match_substring_regex(written, _DATE)
    if pc.any(dates).as_py() and not pc.all(dates).as_py():
        first = pc.index(dates, True).as_py()
        raise SpineError(
            call,
            f"column {name!r} mixes dates and times: {row(first)} is {texts[first].as_py()!r}",
            "A date is not a moment. Write the time of day in each row.",
        )
    return times


def check_null_times(call: str, name: str, times: pa.ChunkedArray, null_times: NullTimes) -> None:
    """Check a time column for nulls.

    Raises:
        SpineError: It has nulls, and ``null_times`` is ``"error"``.

    Example:
        >>> check_null_times("call()", "at", pa.chunked_array([pa.nulls(1)]), "keep")
    """
    if times.null_count and null_times == "error":
        raise SpineError(
            call,
            f"{times.null_count} of {len(times)} rows have no time in {name!r}",
            "Remove these rows, or pass null_times='keep' to answer them with nulls.",
        )


def _text_problem(
    call: str, name: str, texts: pa.ChunkedArray, wrong: int, row: RowName
) -> SpineError:
    """Return the error of texts of which one is wrong."""
    finer = pc.match_substring_regex(texts, _FINER)
    if count := pc.sum(finer).as_py():
        return _finer(call, name, count, len(texts))
    text = texts[wrong].as_py()
    if _is_local(text):  # beside texts with an offset
        return SpineError(
            call,
            f"column {name!r} mixes times with and without a time zone: {row(wrong)} is {text!r}",
            "Write all times with a zone, or all without one and pass timezone=.",
        )
    return SpineError(
        call,
        f"time column {name!r} has a text that is no exact time: {row(wrong)} is {text!r}",
        "Write every time like '2026-01-31T09:30:00+01:00'; with timezone=, it may also be like "
        "'2026-01-31 09:30:00'.",
    )


def _type_of(offsets: pa.ChunkedArray) -> pa.DataType:
    """Return the type of texts: in UTC if one has an offset, or if all are null."""
    return pa.timestamp("us") if pc.any(offsets).as_py() is False else UTC_MICROS


def _is_local(text: str) -> bool:
    try:
        parse_texts(pa.chunked_array([[text]]), pa.timestamp("us"))
    except TimeTextError:
        return False
    return True


def _type_advice(name: str, dtype: pa.DataType) -> str:
    if pa.types.is_integer(dtype) or pa.types.is_floating(dtype):
        return (
            "Convert the numbers to timestamps in UTC with their unit, e.g. "
            f"pd.to_datetime(spine['{name}'], unit='s', utc=True) in pandas."
        )
    if pa.types.is_date(dtype):
        return "Convert the dates to timestamps with a time zone: a date is not a moment."
    return "Convert the column to timestamps with a time zone."


def _whole_micros(call: str, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    target = pa.timestamp("us", column.type.tz)
    if column.type.unit != "ns":
        try:
            return column.cast(target)
        except pa.ArrowInvalid:
            wrong = first_failure(column, lambda part: part.cast(target))
            raise _outside_years(call, name, wrong) from None
    nanos = column.cast(pa.int64())
    micros = pc.multiply(pc.divide(nanos, _NANOS_PER_MICRO), _NANOS_PER_MICRO)
    finer = pc.sum(pc.not_equal(micros, nanos)).as_py()
    if finer:
        raise _finer(call, name, finer, len(column))
    return column.cast(target)


def _finer(call: str, name: str, count: int, rows: int) -> SpineError:
    return SpineError(
        call,
        f"{count} of {rows} times in column {name!r} are finer than a microsecond",
        f"Round them down first: spine['{name}'] = spine['{name}'].dt.floor('us') in pandas.",
    )


def _to_utc(
    call: str, name: str, column: pa.ChunkedArray, timezone: str | tzinfo | None
) -> pa.ChunkedArray:
    if column.type.tz is not None:
        if timezone is not None:  # it has no effect, but may be misspelt
            _require_zone(call, zone_name(call, timezone))
        return column.cast(UTC_MICROS)
    if timezone is None:
        raise _naive(call, name)
    zone = zone_name(call, timezone)
    if (offset := fixed_offset(zone)) is not None:
        return pc.subtract(column.cast(pa.int64()), offset).cast(UTC_MICROS)
    assume_zone = partial(pc.assume_timezone, timezone=zone)
    try:
        return assume_zone(column).cast(UTC_MICROS)
    except (pa.ArrowInvalid, UnicodeError):
        _require_zone(call, zone)
        first = first_failure(column, assume_zone)
        time = column[first].cast(pa.string()).as_py()
        raise SpineError(
            call,
            f"time column {name!r}: {time} in {row_name(first)} came twice or never in time zone "
            f"{zone!r}",
            "Times in a clock change are ambiguous or do not exist. Convert them to UTC first.",
        ) from None


def _require_zone(call: str, zone: str) -> None:
    if fixed_offset(zone) is None and (wrong := timezone_problem(zone)):
        problem, _, fix = wrong.partition(". ")
        raise RequestError(call, problem, fix) from None


def _naive(call: str, name: str, example: str = "") -> SpineError:
    return SpineError(
        call,
        f"time column {name!r} is naive: its times have no time zone{example}",
        "Pass timezone='UTC', or the time zone of these times.",
    )


def _require_years(call: str, name: str, times: pa.ChunkedArray) -> None:
    """Check that Python can hold the times: it knows the years 1 to 9999."""
    micros = times.cast(pa.int64())
    outside = pc.or_(pc.less(micros, FIRST_MICROS), pc.greater(micros, LAST_MICROS))
    if pc.any(outside).as_py():
        raise _outside_years(call, name, pc.index(outside, True).as_py())


def _outside_years(call: str, name: str, position: int) -> SpineError:
    return SpineError(
        call,
        f"time column {name!r} has a time outside the years 1 to 9999 in {row_name(position)}",
        "Correct it, or set it to null and pass null_times='keep'.",
    )
