"""Aggregate functions by name, and what each gives of a column's type."""

from featurestore.definitions.types import (
    FLOATS,
    Array,
    Binary,
    Boolean,
    DataType,
    Decimal,
    Float64,
    Int64,
    is_number,
)

DEVIATIONS = ("variance", "stddev")
"""The functions that take ``ddof=``."""

FUNCTIONS = (
    *("count", "sum", "mean", "min", "max"),
    *DEVIATIONS,
    *("first", "last", "any", "all", "count_distinct"),
)


def output_type(function: str, dtype: DataType | None) -> DataType | None:
    """Return the type of ``function`` over a column, or None where it has no meaning.

    Args:
        function: One of `FUNCTIONS`.
        dtype: The column's type; None for ``"*"``, which only ``count`` takes.

    Example:
        >>> from featurestore.definitions.types import Int32, String
        >>> output_type("sum", Int32), output_type("sum", String)
        (Int64, None)
    """
    if function == "count":
        return Int64
    if dtype is None:
        return None
    if function in ("first", "last"):
        return dtype
    if isinstance(dtype, Array):
        return None
    return _scalar_output_type(function, dtype)


def _scalar_output_type(function: str, dtype: DataType) -> DataType | None:
    if function == "count_distinct":
        return Int64
    if function in ("any", "all"):
        return Boolean if dtype == Boolean else None
    if function in ("min", "max"):
        return None if dtype in (Binary, Boolean) else dtype
    if not is_number(dtype):
        return None
    if function == "sum":
        return _sum_type(dtype)
    return Float64 if function in ("mean", *DEVIATIONS) else None


def _sum_type(dtype: DataType) -> DataType:
    if isinstance(dtype, Decimal):
        return Decimal(38, dtype.scale)
    return Float64 if dtype in FLOATS else Int64
