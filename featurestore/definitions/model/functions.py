"""Aggregate functions: the texts that name them, and what each gives of a column's type."""

import re
from typing import NamedTuple

from featurestore.definitions.model.types import (
    FLOATS,
    JOIN_KEY_TYPES,
    Array,
    Binary,
    Boolean,
    DataType,
    Decimal,
    Float64,
    Int64,
    Map,
    is_number,
)
from featurestore.errors import nearest

DEVIATIONS = ("variance", "stddev")
"""The functions that take ``ddof=``."""

CATEGORICAL = ("count", "sum")
"""The functions that take ``by=``."""

_PLAIN = (
    *("count", "sum", "mean", "min", "max"),
    *DEVIATIONS,
    *("first", "last", "any", "all", "mode", "count_distinct"),
)
_NUMBERED = {"first": "first_n", "last": "last_n", "top": "top_n", "p": "percentile"}

FUNCTIONS = (*_PLAIN, *_NUMBERED.values())
"""What a window can be asked for; ``first_n``, ``last_n``, ``top_n``, ``percentile`` by number."""

SAMPLES = (*_PLAIN, "first3", "last3", "top3", "p90")
"""The same as one writes them."""

MOST = 1000
"""The longest list that a window gives."""

_CALLED_OTHERWISE = {
    **dict.fromkeys(("avg", "average"), "mean"),
    **dict.fromkeys(("std", "stdev", "stddev_samp", "stddev_pop"), "stddev"),
    **dict.fromkeys(("var", "var_samp", "var_pop"), "variance"),
    **dict.fromkeys(
        ("nunique", "n_unique", "distinct", "distinct_count", "approx_count_distinct"),
        "count_distinct",
    ),
    **dict.fromkeys(("total", "add"), "sum"),
    **dict.fromkeys(("size", "len", "length"), "count"),
    **dict.fromkeys(("maximum", "greatest"), "max"),
    **dict.fromkeys(("minimum", "least"), "min"),
    **dict.fromkeys(("median", "med"), "p50"),
    **dict.fromkeys(("percentile", "quantile", "approx_percentile"), "p90"),
    **dict.fromkeys(("latest", "newest", "last_value"), "last"),
    **dict.fromkeys(("earliest", "oldest", "first_value"), "first"),
    **dict.fromkeys(("last_n", "lastn", "list", "collect_list"), "last3"),
    **dict.fromkeys(("first_n", "firstn"), "first3"),
    **dict.fromkeys(("top_n", "topn", "top_k", "topk"), "top3"),
    **dict.fromkeys(("most_common", "most_frequent"), "mode"),
    **dict.fromkeys(("bool_or", "some"), "any"),
    **dict.fromkeys(("bool_and", "every"), "all"),
}
"""What other tools call the functions, as one writes them here."""

_TEXT = re.compile(r"([a-z]+)(0|[1-9][0-9]{0,8})")


class Function(NamedTuple):
    """A function, and its number where it has one: the length of a list, or the percentage."""

    name: str
    number: int | None = None


def parse_function(text: str) -> Function | None:
    """Return what a text such as ``"sum"``, ``"last3"`` or ``"p90"`` names; None for nothing.

    Example:
        >>> parse_function("last3"), parse_function("sum"), parse_function("last_n")
        (Function(name='last_n', number=3), Function(name='sum', number=None), None)
    """
    if text in _PLAIN:
        return Function(text)
    match = _TEXT.fullmatch(text)
    name = _NUMBERED.get(match[1]) if match else None
    return Function(name, int(match[2])) if match and name else None


def nearest_function(text: str) -> str:
    """Return a sentence that offers the function that an unknown text may mean.

    Example:
        >>> nearest_function("avg"), nearest_function("summ")
        ("Did you mean 'mean'?", "Did you mean 'sum'?")
    """
    known = _CALLED_OTHERWISE.get(text.casefold())
    return f"Did you mean {known!r}?" if known else nearest(text, SAMPLES)


def functions_of(dtype: DataType | None) -> tuple[str, ...]:
    """Return the functions that a column of a type can take, as one writes them.

    Example:
        >>> functions_of(None)
        ('count',)
    """
    return tuple(name for name in SAMPLES if output_type(name, dtype) is not None)


def number_problem(function: Function) -> str:
    """Return what is wrong with a function's number, or ``""``.

    Example:
        >>> number_problem(Function("percentile", 101))
        'a percentile is p0 to p100'
    """
    if function.number is None:
        return ""
    if function.name == "percentile":
        return "" if function.number <= 100 else "a percentile is p0 to p100"
    return "" if 1 <= function.number <= MOST else f"a list has 1 to {MOST} values"


def output_type(
    function: str, dtype: DataType | None, by: DataType | None = None
) -> DataType | None:
    """Return the type of a function over a column, or None where it has no meaning.

    Args:
        function: A text such as ``"sum"`` or ``"last3"``.
        dtype: The column's type; None for ``"*"``, which only ``count`` takes.
        by: The type of the column that tells the categories; None for no categories.

    Example:
        >>> from featurestore.definitions.model.types import Int32, String
        >>> output_type("sum", Int32), output_type("sum", String), output_type("last3", String)
        (Int64, None, Array(String))
    """
    known = parse_function(function)
    if known is None:
        return None
    if by is not None:
        value = output_type(function, dtype)
        fits = value and known.name in CATEGORICAL and by in JOIN_KEY_TYPES
        return Map(by, value) if value and fits else None
    if known.name == "count":
        return Int64
    return None if dtype is None else _value_output_type(known.name, dtype)


def _value_output_type(name: str, dtype: DataType) -> DataType | None:
    if name in ("first", "last"):
        return dtype
    if name in ("first_n", "last_n"):
        return Array(dtype)
    return None if isinstance(dtype, Array) else _scalar_output_type(name, dtype)


def _scalar_output_type(name: str, dtype: DataType) -> DataType | None:
    if name == "count_distinct":
        return Int64
    if name in ("any", "all"):
        return Boolean if dtype == Boolean else None
    if name == "mode":
        return None if dtype == Binary else dtype
    if name in ("min", "max", "top_n"):
        ordered = None if dtype in (Binary, Boolean) else dtype
        return Array(ordered) if ordered and name == "top_n" else ordered
    return _number_output_type(name, dtype) if is_number(dtype) else None


def _number_output_type(name: str, dtype: DataType) -> DataType:
    return _sum_type(dtype) if name == "sum" else Float64


def _sum_type(dtype: DataType) -> DataType:
    if isinstance(dtype, Decimal):
        return Decimal(38, dtype.scale)
    return Float64 if dtype in FLOATS else Int64
