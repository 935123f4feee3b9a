"""`Aggregation`: a function of the rows in time windows before each moment."""

from dataclasses import KW_ONLY, dataclass, field
from typing import Literal

from featurestore.definitions.origin import Origin, origin
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
from featurestore.times import LIFETIME

FUNCTIONS = ("count", "sum", "mean", "min", "max", "stddev", "last", "count_distinct")
ANY_ROW = "*"


@dataclass(frozen=True)
class Aggregation:
    """A function over the rows of one or more windows ``[t - delay - window, t - delay)``.

    The upper edge is out, so that the event that is being predicted never counts itself.

    Args:
        column: The view's field that is aggregated, or ``"*"`` to count rows.
        function: One of ``count sum mean min max stddev last count_distinct``. Nulls are
            skipped; stddev is the sample's; count_distinct is exact.
        windows: Lengths such as ``"1h"`` or ``"30d"``, or ``"lifetime"`` for no lower edge.
        delay: Shifts the whole window into the past.
        closed: ``"left"`` is ``[t - W, t)``, ``"right"`` is ``(t - W, t]``.
        empty: The value for a window without values, in place of 0 for counts and null else.
        name: Replaces ``<column>_<function>`` in the feature's name, where two would clash.

    Example:
        >>> Aggregation("amount", "sum", windows=("1h", "7d")).feature_names
        ('amount_sum_1h', 'amount_sum_7d')
        >>> Aggregation("*", "count", windows=("7d",)).feature_names
        ('count_7d',)
    """

    column: str
    function: str
    _: KW_ONLY
    windows: tuple[str, ...] = (LIFETIME,)
    delay: str = "0s"
    closed: Literal["left", "right"] = "left"
    empty: int | float | str | bool | None = None
    name: str | None = None
    origin: Origin = field(default_factory=origin, init=False, repr=False, compare=False)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of its features, one a window, in the order of ``windows``."""
        stem = self.name or (
            self.function if self.column == ANY_ROW else f"{self.column}_{self.function}"
        )
        return tuple(f"{stem}_{window}" for window in self.windows)


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
    if function == "last":
        return dtype
    if isinstance(dtype, Array):
        return None
    return _scalar_output_type(function, dtype)


def _scalar_output_type(function: str, dtype: DataType) -> DataType | None:
    if function == "count_distinct":
        return Int64
    if function in ("min", "max"):
        return None if dtype in (Binary, Boolean) else dtype
    if not is_number(dtype):
        return None
    if function == "sum":
        return _sum_type(dtype)
    return Float64 if function in ("mean", "stddev") else None


def _sum_type(dtype: DataType) -> DataType:
    if isinstance(dtype, Decimal):
        return Decimal(38, dtype.scale)
    return Float64 if dtype in FLOATS else Int64
