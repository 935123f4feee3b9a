"""The reference value of a cell, or the fact that its sum overflows and it has no value."""

from typing import Any

from featurestore.engines.reference.agreement import agree
from featurestore.engines.reference.features import value_of
from featurestore.engines.reference.functions import IntegerOverflowError
from featurestore.engines.reference.rows import Row, Rows
from featurestore.query.nodes import Aggregate, Column, ViewQuery

OVERFLOW = "the sum does not fit its type"
"""Sentinel for a sum that overflows. Compare with ``is``: a stored string may be equal."""


def value_or_overflow(
    view: ViewQuery, feature: Column | Aggregate, spine_row: Row, valid: Rows
) -> Any:
    """Return the value of one feature at one spine row, or `OVERFLOW`.

    Args:
        view: The use of the view.
        feature: The feature.
        spine_row: The spine row.
        valid: The stored rows that are valid at the spine row's moment.
    """
    try:
        return value_of(view, feature, spine_row, valid)
    except IntegerOverflowError:
        return OVERFLOW


def same_value(one: Any, other: Any, bound: float = 0.0) -> bool:
    """Return whether two values agree. Each may be `OVERFLOW`, which agrees with itself only.

    Args:
        one: A value.
        other: Another value.
        bound: How far apart two floats may be.

    Example:
        >>> same_value(1.0, OVERFLOW, 1e-9), same_value(OVERFLOW, OVERFLOW)
        (False, True)
    """
    if one is OVERFLOW or other is OVERFLOW:
        return one is other
    return agree(one, other, bound)
