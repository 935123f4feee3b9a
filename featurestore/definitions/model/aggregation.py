"""`Aggregation`: a function over the rows in time windows before each moment."""

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, field
from typing import Literal

from featurestore.definitions.model.arguments import named_arguments, unify_arguments
from featurestore.definitions.model.functions import output_type
from featurestore.definitions.model.types import DataType, Field
from featurestore.definitions.model.window import Length, window_name
from featurestore.definitions.origin import Origin, origin
from featurestore.times import LIFETIME

__all__ = ["ANY_ROW", "Aggregation", "output_type"]

ANY_ROW = "*"


@named_arguments
@dataclass(frozen=True)
class Aggregation:
    """A function over the rows of one or more windows ``[t - delay - window, t - delay)``.

    The upper edge is excluded, so that a window never contains the event to predict.

    Args:
        column: The field of the view to aggregate, or ``"*"`` to count rows.
        function: The name of an aggregation function, such as ``"sum"`` or ``"count_distinct"``;
            some names end with a number: ``"last3"`` is the list of the three newest values,
            ``"p90"`` a percentile. `featurestore.definitions.model.functions` has them all, and
            docs/semantics.md lists them. Nulls are skipped.
        windows: Lengths such as ``"1h"`` or ``"30d"``, or ``"lifetime"`` for no lower edge; or
            windows on a grid: `Sliding` and `Tumbling`.
        delay: The distance of the whole window from t, into the past.
        closed: ``"left"`` for ``[t - W, t)``, ``"right"`` for ``(t - W, t]``; on a grid only
            ``"left"``.
        empty: The value of a window without values; None for 0 of counts and null of the rest.
        ddof: The delta degrees of freedom of variance and stddev: 1 for a sample, 0 for the
            population.
        by: A second field, of a type for join keys: the feature is a map from each of its values
            to the count or sum of the rows with that value.
        name: Replaces ``<column>_<function>`` (and ``_by_<by>``) in the feature's name, e.g. if
            two features would have the same name.

    Example:
        >>> Aggregation("amount", "sum", windows=("1h", "7d")).feature_names
        ('amount_sum_1h', 'amount_sum_7d')
        >>> Aggregation("*", "count", windows=("7d",)).feature_names
        ('count_7d',)
        >>> Aggregation("amount", "sum", by="category", windows=("7d",)).feature_names
        ('amount_sum_by_category_7d',)
    """

    column: str
    function: str
    _: KW_ONLY
    windows: tuple[Length, ...] = (LIFETIME,)
    delay: str = "0s"
    closed: Literal["left", "right"] = "left"
    empty: int | float | str | bool | None = None
    ddof: int = 1
    by: str | None = None
    name: str | None = None
    origin: Origin = field(default_factory=origin, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        unify_arguments(self)

    @property
    def feature_names(self) -> tuple[str, ...]:
        """The names of its features, one for each window, in the order of ``windows``."""
        column = "" if self.column == ANY_ROW else f"{self.column}_"
        by = "" if self.by is None else f"_by_{self.by}"
        stem = self.name or f"{column}{self.function}{by}"
        return tuple(f"{stem}_{window_name(window)}" for window in self.windows)


def value_types(
    schema: Iterable[Field], aggregations: Iterable[Aggregation]
) -> dict[str, DataType | None]:
    """Return the types of columns and of the features that aggregate them, by name.

    Args:
        schema: The columns.
        aggregations: The aggregations.

    Returns:
        The type of each; None where the function does not fit its column.

    Example:
        >>> from featurestore.definitions.model.types import Int32
        >>> total = Aggregation("amount", "sum", windows=("7d",))
        >>> value_types([Field("amount", Int32)], [total])
        {'amount': Int32, 'amount_sum_7d': Int64}
    """
    stored: dict[str, DataType | None] = {field.name: field.dtype for field in schema}
    types = dict(stored)
    for each in aggregations:
        by = () if each.by is None else (stored.get(each.by),)
        dtype = output_type(each.function, stored.get(each.column), *by)
        types |= dict.fromkeys(each.feature_names, dtype)
    return types
