"""Sums that do not fit their type: found among a column's slices, told by keys and moment."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa

from featurestore.definitions.model.types import Decimal
from featurestore.engines.arrays import Ints, Mask, moments, whole
from featurestore.errors import SumOverflowError
from featurestore.query.nodes import Aggregate, ViewQuery


class OverflowAt(Exception):  # noqa: N818  # carries a moment to where its row is known
    """A sum does not fit, at one of the moments of the slices at hand.

    Args:
        moment: The first such moment, counted from the slices' first.
    """

    def __init__(self, moment: int) -> None:
        self.moment = moment


def refuse_overflow(overflows: Mask) -> None:
    """Refuse sums that do not fit.

    Raises:
        OverflowAt: There are any.
    """
    if overflows.any():
        raise OverflowAt(int(overflows.argmax()))


@contextmanager
def overflow_told(
    query: ViewQuery, feature: Aggregate, spine: pa.Table, places: Ints
) -> Iterator[None]:
    """Tell of a sum that does not fit by its feature, its view, and the row that it is of.

    Args:
        query: The use of the view.
        feature: The feature that is computed.
        spine: The spine.
        places: Where the rows of the slices' moments stand in it.

    Raises:
        SumOverflowError: A sum does not fit.
    """
    try:
        yield
    except OverflowAt as overflow:
        row = int(places[overflow.moment])
        error = SumOverflowError(
            f"feature {feature.output!r} of view {query.view!r}{_declared(query)}",
            f"the sum of a window does not fit {_type(feature)}, "
            f"such as {_told(query, spine, row)}",
            _fix(feature),
        )
        error.row = row
        raise error from None


def _declared(query: ViewQuery) -> str:
    return f" ({query.origin})" if query.origin else ""


def _type(feature: Aggregate) -> object:
    return getattr(feature.result, "value", feature.result)


def _told(query: ViewQuery, spine: pa.Table, row: int) -> str:
    keys = [f"{key.spine_column}={spine[key.spine_column][row].as_py()!r}" for key in query.keys]
    micros = moments(whole(spine[query.timestamp_field].slice(row, 1)))[0]
    # Python's datetimes end with the year 9999.
    moment = str(np.datetime64(int(micros), "us")).removesuffix(".000000")
    return f"that of {', '.join(keys)} as of {moment}Z" if keys else f"that as of {moment}Z"


def _fix(feature: Aggregate) -> str:
    wider = "Float64" if isinstance(feature.dtype, Decimal) else "Decimal(38, 0) or Float64"
    return f"Declare the field {feature.column!r} as {wider}, and cast it in the view's transform."
