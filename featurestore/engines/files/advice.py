"""What to do about a text that is no value of its declared type, where its form is a usual one."""

import re

from featurestore.definitions.model.types import Date, Field, Timestamp, is_number
from featurestore.engines.files.exact_text import example_of

_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_GROUPS_AND_COMMA = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+")
_OTHER_DAY = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./]\d{1,2}[./]\d{1,2}")
_NULLS = ("na", "n/a", "#n/a", "null", "(null)", "none", "nil", "nan", "nat", "\\n", "-", "?")
_AS_TEXT = "Or declare the column as String, and let the view's transform convert it"


def text_advice(field: Field, text: str) -> str:
    """Return how to write a value of a CSV file's column, or how to read the text that is there.

    Args:
        field: The column, with its declared type.
        text: A text that is no value of the type.

    Example:
        >>> from featurestore.definitions.model.types import Float64
        >>> text_advice(Field("kg", Float64), "2,5")
        "Write a point in place of the comma. ...: CAST(replace(kg, ',', '.') AS DOUBLE)."
    """
    text, name = text.strip(), field.name
    if text.lower() in _NULLS:
        return f"If it means null, declare null_values=('', {text!r}) on the source."
    if is_number(field.dtype) and _DECIMAL_COMMA.fullmatch(text):
        return _point(f"replace({name}, ',', '.')")
    if is_number(field.dtype) and _GROUPS_AND_COMMA.fullmatch(text):
        return _point(f"replace(replace({name}, '.', ''), ',', '.')")
    if field.dtype in (Date, Timestamp) and _OTHER_DAY.match(text):
        function = "to_date" if field.dtype == Date else "to_timestamp_ntz"
        example = example_of(field.dtype)
        form = "dd.MM.yyyy" if field.dtype == Date else "dd.MM.yyyy HH:mm"
        return f"Write {example}. {_AS_TEXT}, such as by {function}({name}, '{form}')."
    return f"Write a value like {example_of(field.dtype)}."


def _point(number: str) -> str:
    return f"Write a point in place of the comma. {_AS_TEXT}: CAST({number} AS DOUBLE)."
