"""A value by the rules, or that its sum overflows: for some windows they give none."""

from typing import Any

from featurestore.engines.reference.agreement import agree
from featurestore.engines.reference.features import value_of
from featurestore.engines.reference.functions import IntegerOverflowError
from featurestore.engines.reference.rows import Row, Rows
from featurestore.query.nodes import Aggregate, Column, ViewQuery

OVERFLOW = "the sum does not fit its type"
"""In place of a value that there is none of; told from a text that is stored by identity."""


def value_or_overflow(
    view: ViewQuery, feature: Column | Aggregate, spine_row: Row, existing: Rows
) -> Any:
    """Return one feature at one spine row, or `OVERFLOW`.

    Args:
        view: The use of the view.
        feature: The feature.
        spine_row: The spine row.
        existing: The rows that exist for it.
    """
    try:
        return value_of(view, feature, spine_row, existing)
    except IntegerOverflowError:
        return OVERFLOW


def same_value(one: Any, other: Any, bound: float = 0.0) -> bool:
    """Return whether two values agree, one of which may be that a sum overflows.

    Example:
        >>> same_value(1.0, OVERFLOW, 1e-9), same_value(OVERFLOW, OVERFLOW)
        (False, True)
    """
    if one is OVERFLOW or other is OVERFLOW:
        return one is other
    return agree(one, other, bound)
