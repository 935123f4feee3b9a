"""The exact conversion of texts to declared types: the value that the text means, or a refusal.

Spines, files of sources and the command line read texts by this grammar. Blanks around a value do
not count, but in a String.

| Type | Texts |
|---|---|
| Int32, Int64 | whole numbers in the type's range, also ``1.0`` or ``1e3`` |
| Float32 | numbers that the type prints with the same digits, ``NaN``, ``inf`` |
| Float64 | numbers; whole numbers beyond 2^53 only if the type holds them, ``NaN``, ``inf`` |
| Decimal | numbers with no more digits than declared; zeros at the end do not count |
| Boolean | ``true`` and ``false``, in any case; ``1`` and ``0`` |
| Date | ``2026-01-31``, also ``2026-1-31`` |
| Binary | two hexadecimal digits for each byte |
| Timestamp | see `time_texts` |

A fast path in Arrow converts the texts of the usual form. Only the others are read one by one.
"""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date
from decimal import Context, Inexact, InvalidOperation, localcontext
from decimal import Decimal as PythonDecimal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.definitions.model.types import (
    Binary,
    Boolean,
    DataType,
    Date,
    Decimal,
    Float32,
    Float64,
    Int32,
    Int64,
    String,
    Timestamp,
)
from featurestore.store.columns import arrow_type

_Conversions = tuple[Callable[[pa.Array], pa.Array | None], Callable[[str], object]]
_Mask = npt.NDArray[np.bool_]

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_SPECIAL = re.compile(r"[+-]?inf(inity)?|[+-]?nan", re.IGNORECASE)
_PLAIN_INTEGER = r"^-?[0-9]+$"
_PLAIN_NUMBER = r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
_PLAIN_DECIMAL = r"^-?[0-9]+(\.[0-9]+)?$"
_PLAIN_DATE = r"^([1-9]...|0[1-9]..|00[1-9].|000[1-9])-[0-9]{2}-[0-9]{2}$"
_HEX = re.compile("(?:[0-9A-Fa-f]{2})*+")
_BOOLEANS = {"true": True, "false": False, "1": True, "0": False}
_ZERO = r"^-?0+(\.0+)?([eE].*)?$"
_EXAMPLES: Mapping[DataType, str] = {
    Float32: "1.5",
    Float64: "1.5",
    Boolean: "true",
    Date: "2026-01-31",
    Timestamp: "2026-01-31T09:30:00Z",
    Binary: "00ff",
}
# Float64 holds each whole number up to this one.
_WHOLE = 2.0**53
# No declared type holds a larger power of ten, and Python would write out all of its digits.
_LARGEST_EXPONENT = 400
_SURELY_FLOAT32 = 7  # characters: six digits and a point


class UnfitValueError(ValueError):
    """A value that its declared type does not hold exactly.

    Args:
        value: The value, as text.
    """

    def __init__(self, value: str) -> None:
        self.value = value
        super().__init__(value)


def from_text(texts: pa.Array, dtype: DataType, null_values: Collection[str] = ()) -> pa.Array:
    """Return texts as values of a declared type; times stay texts.

    Args:
        texts: Strings and nulls.
        dtype: The declared type; no Array or Map.
        null_values: Texts that are null, but in String and Binary, where they may be values.

    Raises:
        UnfitValueError: The type does not hold a value exactly.

    Example:
        >>> from_text(pa.array(["1", " ", None]), Int32, [""]).to_pylist()
        [1, None, None]
    """
    if dtype == String:
        return texts
    texts = pc.ascii_trim_whitespace(texts)
    if null_values and dtype != Binary:
        is_null = pc.is_in(texts, pa.array(null_values, pa.string()))
        texts = pc.if_else(is_null, None, texts)
    if dtype == Timestamp:
        return texts
    fast, one = _conversions(dtype)
    converted = fast(texts)
    if converted is not None:
        return converted
    values = [None if text is None else one(text) for text in texts.to_pylist()]
    return pa.array(values, arrow_type(dtype))


def example_of(dtype: DataType) -> str:
    """Return an example of a type's texts.

    Example:
        >>> example_of(Int32), example_of(Decimal(10, 2))
        ('7', '1.50')
    """
    return "1.50" if isinstance(dtype, Decimal) else _EXAMPLES.get(dtype, "7")


def _conversions(dtype: DataType) -> _Conversions:
    """Return the conversion of many texts (None where it does not apply), and that of one."""
    if isinstance(dtype, Decimal):
        return (
            lambda texts: _cast(texts, _PLAIN_DECIMAL, dtype),
            lambda text: _decimal(text, dtype),
        )
    conversions: Mapping[DataType, _Conversions] = {
        Int32: (lambda texts: _cast(texts, _PLAIN_INTEGER, Int32), _integer(31)),
        Int64: (lambda texts: _cast(texts, _PLAIN_INTEGER, Int64), _integer(63)),
        Float32: (_floats32, _float32),
        Float64: (_floats64, _float64),
        Boolean: (_booleans, _boolean),
        Date: (lambda texts: _cast(texts, _PLAIN_DATE, Date), _date),
        Binary: (_no_fast_path, _bytes),
    }
    return conversions[dtype]


def _cast(texts: pa.Array, pattern: str, dtype: DataType) -> pa.Array | None:
    if not _all(pc.match_substring_regex(texts, pattern)):
        return None
    try:
        return texts.cast(arrow_type(dtype))
    except pa.ArrowInvalid:
        return None


def _all(matches: pa.Array) -> bool:
    return pc.all(matches).as_py() is not False


def _floats64(texts: pa.Array) -> pa.Array | None:
    values = _cast(texts, _PLAIN_NUMBER, Float64)
    if values is None:
        return None
    numbers = values.fill_null(1.0).to_numpy(zero_copy_only=False)
    unsure = (np.abs(numbers) >= _WHOLE) | _vanished(texts, numbers)
    for position in np.flatnonzero(unsure):
        _float64(texts[position].as_py())
    return values


def _floats32(texts: pa.Array) -> pa.Array | None:
    wide = _cast(texts, _PLAIN_NUMBER, Float64)
    if wide is None:
        return None
    exact = wide.fill_null(1.0).to_numpy(zero_copy_only=False)
    with np.errstate(over="ignore", under="ignore"):
        narrow = exact.astype(np.float32)
    lengths = pc.utf8_length(texts).fill_null(0).to_numpy(zero_copy_only=False)
    long = (lengths > _SURELY_FLOAT32) | _has_exponent(texts)
    unsure = ~np.isfinite(narrow) | _vanished(texts, narrow) | ((narrow != exact) & long)
    numbers = narrow.copy()
    for position in np.flatnonzero(unsure):
        numbers[position] = _float32(texts[position].as_py())
    missing = texts.is_null().to_numpy(zero_copy_only=False)
    return pa.array(numbers, pa.float32(), mask=missing)


def _vanished(texts: pa.Array, numbers: npt.NDArray[np.floating]) -> _Mask:
    """Return where a number that is not zero became zero."""
    zero: _Mask = numbers == 0
    if not zero.any():
        return zero
    matches = pc.match_substring_regex(texts, _ZERO).fill_null(True)
    written: _Mask = matches.to_numpy(zero_copy_only=False)
    return zero & ~written


def _has_exponent(texts: pa.Array) -> _Mask:
    matches = pc.match_substring_regex(texts, "[eE]").fill_null(False)
    found: _Mask = matches.to_numpy(zero_copy_only=False)
    return found


def _booleans(texts: pa.Array) -> pa.Array | None:
    lower = pc.utf8_lower(texts)
    true = pc.equal(lower, "true")
    return true if _all(pc.or_(true, pc.equal(lower, "false"))) else None


def _no_fast_path(texts: pa.Array) -> pa.Array | None:
    return None


def _number(text: str) -> PythonDecimal:
    if not _NUMBER.fullmatch(text):
        raise UnfitValueError(text)
    try:
        number = PythonDecimal(text)
    except InvalidOperation:  # the exponent has too many digits
        raise UnfitValueError(text) from None
    if abs(number.adjusted()) > _LARGEST_EXPONENT and number:
        raise UnfitValueError(text)
    return number


def _integer(bits: int) -> Callable[[str], int]:
    def integer(text: str) -> int:
        number = _number(text)
        whole = int(number)
        if whole != number or not -(2**bits) <= whole < 2**bits:
            raise UnfitValueError(text)
        return whole

    return integer


def _float64(text: str) -> float:
    if _SPECIAL.fullmatch(text):
        return float(text)
    number, value = _number(text), float(text)
    lost = (not np.isfinite(value)) or (value == 0) != (number == 0)
    if lost or (abs(value) >= _WHOLE and not _prints(value, number)):
        raise UnfitValueError(text)
    return value


def _float32(text: str) -> float:
    if _SPECIAL.fullmatch(text):
        return float(text)
    number = _number(text)
    with np.errstate(over="ignore", under="ignore"):
        value = float(np.float32(text))
    lost = (not np.isfinite(value)) or (value == 0) != (number == 0)
    if lost or not _prints(value, number):
        raise UnfitValueError(text)
    return value


def _prints(value: float, number: PythonDecimal) -> bool:
    """Return whether a float, written with as many digits as the number, is the number."""
    exact = PythonDecimal(value)
    digits = len(number.normalize(Context(prec=1000)).as_tuple().digits)
    return exact == number or Context(prec=digits).plus(exact) == number


def _decimal(text: str, dtype: Decimal) -> PythonDecimal:
    number = _number(text)
    try:
        with localcontext(Context(prec=dtype.precision, traps=[Inexact, InvalidOperation])):
            return number.quantize(PythonDecimal(1).scaleb(-dtype.scale))
    except (Inexact, InvalidOperation):
        raise UnfitValueError(text) from None


def _boolean(text: str) -> bool:
    value = _BOOLEANS.get(text.lower())
    if value is None:
        raise UnfitValueError(text)
    return value


def _bytes(text: str) -> bytes:
    if not _HEX.fullmatch(text):
        raise UnfitValueError(text)
    return bytes.fromhex(text)


def _date(text: str) -> date:
    match = _DATE.fullmatch(text)
    try:
        if match:
            return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        pass
    raise UnfitValueError(text)
