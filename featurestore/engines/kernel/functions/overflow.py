"""Sums that do not fit their type: from the moment of the overflow to the user's error."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pyarrow as pa

from featurestore.definitions.model.types import Decimal
from featurestore.engines.arrays import Ints, Mask, moments, whole
from featurestore.errors import SumOverflowError
from featurestore.query.nodes import Aggregate, ViewQuery


class OverflowAt(Exception):  # noqa: N818  # a position, caught where its spine row is available
    """The sum of a moment's slices does not fit.

    Args:
        moment: The position of the first such moment among the moments of the slices.
    """

    def __init__(self, moment: int) -> None:
        self.moment = moment


def refuse_overflow(overflows: Mask) -> None:
    """Raise an error if any sum overflows.

    Args:
        overflows: Which moments' sums overflow.

    Raises:
        OverflowAt: At least one does.
    """
    if overflows.any():
        raise OverflowAt(int(overflows.argmax()))


@contextmanager
def overflow_context(
    query: ViewQuery, feature: Aggregate, spine: pa.Table, positions: Ints
) -> Iterator[None]:
    """Turn an `OverflowAt` into an error that names the feature, its view and the spine row.

    Args:
        query: The use of the view.
        feature: The feature that is computed.
        spine: The spine.
        positions: The spine row of each moment.

    Raises:
        SumOverflowError: A sum does not fit.
    """
    try:
        yield
    except OverflowAt as overflow:
        row = int(positions[overflow.moment])
        error = SumOverflowError(
            f"feature {feature.output!r} of view {query.view!r}{_declared(query)}",
            f"the sum of a window does not fit {_type(feature)}, "
            f"such as {_row_text(query, spine, row)}",
            _fix(feature),
        )
        error.row = row
        raise error from None


def _declared(query: ViewQuery) -> str:
    return f" ({query.origin})" if query.origin else ""


def _type(feature: Aggregate) -> object:
    return getattr(feature.result, "value", feature.result)


def _row_text(query: ViewQuery, spine: pa.Table, row: int) -> str:
    """Return the keys and the time of a spine row as text."""
    keys = [f"{key.spine_column}={spine[key.spine_column][row].as_py()!r}" for key in query.keys]
    micros = moments(whole(spine[query.timestamp_field].slice(row, 1)))[0]
    # Python's datetimes end with the year 9999.
    moment = str(np.datetime64(int(micros), "us")).removesuffix(".000000")
    return f"that of {', '.join(keys)} as of {moment}Z" if keys else f"that as of {moment}Z"


def _fix(feature: Aggregate) -> str:
    wider = "Float64" if isinstance(feature.dtype, Decimal) else "Decimal(38, 0) or Float64"
    return f"Declare the field {feature.column!r} as {wider}, and cast it in the view's transform."
