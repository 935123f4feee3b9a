"""The texts of times: one grammar for the times of spines, of files and of Spark's columns.

A time is ``2026-01-31 09:30:00``: a date, ``T`` or a blank, and a time of day, whose seconds may
be missing or have up to six decimals. Month, day and hour may have one digit. An offset may
follow, with or without a blank: ``Z``, ``UTC``, ``GMT``, ``+01``, ``+0100`` or ``+01:00``.
Blanks around a text do not count. A date alone is midnight.

The patterns mean the same in Arrow's regular expressions and in Java's.
"""

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.engines.arrays import first_failure

DAY = r"\d{4}-\d{1,2}-\d{1,2}"
CLOCK = r"[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6}0*)?)?"
OFFSET = r" *(?:Z|UTC|GMT|[+-](?:0\d|1[0-7])(?::?[0-5]\d)?)"

_LOCAL_MICROS = pa.timestamp("us")
_MOMENT = f"^{DAY}{CLOCK}{OFFSET}$"
_LOCAL = f"^{DAY}(?:{CLOCK})?$"
_ISO = r"^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d(:?\d\d)?)?)?$"
_TO_ISO = (
    (r"^(\d{4}-)(\d-)", r"\10\2"),
    (r"^(\d{4}-\d{2}-)(\d)([T ]|$)", r"\10\2\3"),
    (r"^(\d{4}-\d{2}-\d{2}[T ])(\d:)", r"\10\2"),
    (r"(\.\d{6})0+", r"\1"),
    (r" *(?:Z|UTC|GMT)$", "Z"),
    (r" +([+-]\d+:?\d*)$", r"\1"),
)


class TimeTextError(ValueError):
    """A text that is no time.

    Args:
        position: The position of the text.
    """

    def __init__(self, position: int) -> None:
        self.position = position
        super().__init__(position)


def trimmed(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts without the blanks around them.

    Example:
        >>> trimmed(pa.chunked_array([[" 2026-01-31 "]])).to_pylist()
        ['2026-01-31']
    """
    return pc.ascii_trim_whitespace(texts.cast(pa.string()))


def have_offset(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return which texts, without blanks around them, end in an offset after a time of day.

    Example:
        >>> have_offset(pa.chunked_array([["2026-01-31", "2026-01-31 09:30 UTC"]])).to_pylist()
        [False, True]
    """
    return pc.match_substring_regex(texts, rf"[T ]\d{{1,2}}.*{OFFSET}$")


def parse_texts(texts: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    """Return texts as timestamps.

    Args:
        texts: Texts, without blanks around them.
        kind: Timestamps in UTC for texts with an offset, else timestamps without a zone.

    Raises:
        TimeTextError: A text is no time of this kind.

    Example:
        >>> from featurestore.store.columns import UTC_MICROS
        >>> parse_texts(pa.chunked_array([["2026-1-31 9:30 UTC"]]), UTC_MICROS)[0].as_py().hour
        9
    """
    form = _LOCAL if kind == _LOCAL_MICROS else _MOMENT
    wrong = pc.index(pc.match_substring_regex(texts, form), False).as_py()
    if wrong >= 0:
        raise TimeTextError(wrong)
    iso = _iso(texts)
    try:
        return iso.cast(kind)
    except pa.ArrowInvalid:  # such as February 30
        raise TimeTextError(first_failure(iso, lambda part: part.cast(kind))) from None


def _iso(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the same times in the form of ISO 8601, which Arrow reads."""
    if pc.all(pc.match_substring_regex(texts, _ISO)).as_py() is not False:
        return texts
    for pattern, replacement in _TO_ISO:
        texts = pc.replace_substring_regex(texts, pattern, replacement)
    return texts
