"""Spine rows compared with the moments that their call was planned for.

The stored rows of an exchange are those that the planned moments can need. So a row with another
moment would get an old answer.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from featurestore.engines.arrays import Ints, integers, moments, validity, whole
from featurestore.engines.spark.retrieve.exchange.buckets import Span, rows_of_hot_keys
from featurestore.engines.spark.retrieve.exchange.key_sets import has_all_keys
from featurestore.engines.spark.retrieve.exchange.layout import BUCKET, SpineLayout
from featurestore.engines.spark.retrieve.spine import FIX_OF_CHANGED_SPINE
from featurestore.errors import SpineError
from featurestore.times import from_micros

_UNSEEN = (0, -1)  # no moment is in it


def require_planned(layout: SpineLayout, call: str, bound: pa.Table, rows: pa.Table) -> None:
    """Check that all moments of spine rows are those of which the plan knows.

    Args:
        layout: How the rows go through an exchange, with the planned moments.
        call: The user's call, for messages.
        bound: The key and time columns of the rows.
        rows: The rows as they go through the exchange.

    Raises:
        SpineError: A row has a moment outside the planned ones of the call or of its bucket.
    """
    key_set = layout.key_set
    present = has_all_keys(key_set, bound)
    for name, span in layout.spans.items():
        first, last = _limits([span])
        _require_within(call, bound, name, np.flatnonzero(present), (first[0], last[0]))
    buckets = integers(whole(rows[BUCKET]))
    for position, found in rows_of_hot_keys(key_set, layout.hot, bound, key_set.columns):
        for name, spans in layout.hot[position].spans.items():
            first, last = _limits(spans)
            numbers = buckets[found] - 1
            _require_within(call, bound, name, found, (first[numbers], last[numbers]))


def _limits(spans: Sequence[Span | None]) -> tuple[Ints, Ints]:
    pairs = [_UNSEEN if span is None else (span.first, span.last) for span in spans]
    first, last = np.array(pairs, np.int64).T
    return first, last


def _require_within(
    call: str, bound: pa.Table, name: str, rows: Ints, limits: tuple[Ints, Ints]
) -> None:
    column = whole(bound[name])
    times, present = moments(column)[rows], validity(column)
    outside = (times < limits[0]) | (times > limits[1])
    if present is not None:
        outside &= present[rows]
    if not outside.any():
        return
    moment = from_micros(int(times[np.argmax(outside)]))
    raise SpineError(
        call,
        f"the spine has other rows each time that it is read: one has now the time {moment} in "
        f"{name!r}, for which the call was not planned",
        FIX_OF_CHANGED_SPINE,
    )
