"""A spine from a view of labels: its events, as they are known at a moment."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.client.arrow_rows import rows_at, rows_where
from featurestore.client.reader import Reader
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.kernel.exists_at import positions_valid_at
from featurestore.engines.retrieval.scan import Bounds
from featurestore.errors import NotFoundError, RequestError, nearest
from featurestore.query.compile import compile_view
from featurestore.query.nodes import Column, Query, ViewQuery
from featurestore.store.columns import EVENT_TIME
from featurestore.times import parse_moment, to_micros


@dataclass(frozen=True)
class Events:
    """Which events of a view are wanted.

    Args:
        view: The view's name.
        columns: Its fields that come along; None for all.
        start: The first event; None for no bound.
        end: The moment before which events end; None for no bound.
    """

    view: str
    columns: Sequence[str] | None = None
    start: str | datetime | None = None
    end: str | datetime | None = None

    @property
    def call(self) -> str:
        """The call in words."""
        return f"get_label_spine({self.view!r})"


def label_spine(manifest: Manifest, reader: Reader, wanted: Events, as_of: datetime) -> pa.Table:
    """Return a view's events as a spine.

    Args:
        manifest: What is applied.
        reader: Reads the tables.
        wanted: Which events.
        as_of: The moment whose knowledge counts: what is known later is left out.

    Returns:
        Join keys, ``event_timestamp`` and the columns, by event time and keys.

    Raises:
        NotFoundError: The view or a column is not applied.
        RequestError: The end is not after the start, or the events do not fit the memory limit.
        TableError: The view is not materialized, or was changed since.
    """
    view = manifest.view(wanted.view)
    if view is None:
        known = (each.name for each in manifest.views)
        raise NotFoundError(
            wanted.call, f"no view {wanted.view!r} is applied", nearest(wanted.view, known)
        )
    query, moment = _query(view, wanted), to_micros(as_of)
    low, high = _bounds(wanted, moment)
    snapshot = reader.pin(Query(wanted.call, (query,)), manifest)[view.name]
    # A revision may have moved in time: then what it replaces may lie in the bounds.
    first = None if query.rows.unique_by else low
    bounds = Bounds(None, time_low=first, time_high=moment)
    rows = reader.read(wanted.call, query, snapshot, bounds)
    rows = rows_at(rows, positions_valid_at(query, rows, moment))
    times = rows[EVENT_TIME].cast(pa.int64())
    inside = pc.less(times, high)
    inside = inside if low is None else pc.and_(inside, pc.greater_equal(times, low))
    names = [key.key for key in query.keys]
    spine = rows_where(rows.select([*names, EVENT_TIME, *query.value_columns]), inside)
    return spine.sort_by([(name, "ascending") for name in (EVENT_TIME, *names)])


def _query(view: FeatureView, wanted: Events) -> ViewQuery:
    types = {field.name: field.dtype for field in view.schema}
    names = list(types) if wanted.columns is None else list(dict.fromkeys(wanted.columns))
    for name in names:
        if name not in types:
            raise NotFoundError(
                wanted.call, f"view {view.name!r} has no field {name!r}", nearest(name, types)
            )
    columns = tuple(Column(name, name, types[name]) for name in names)
    return replace(compile_view(view), columns=columns, aggregates=())


def _bounds(wanted: Events, as_of: int) -> tuple[int | None, int]:
    """Return the first microsecond wanted and the one after the last."""
    low, high = (
        None if each is None else to_micros(parse_moment(each))
        for each in (wanted.start, wanted.end)
    )
    if low is not None and high is not None and high <= low:
        raise RequestError(
            wanted.call,
            f"the end, {wanted.end}, is not after the start, {wanted.start}",
            "Give start before end.",
        )
    return low, as_of + 1 if high is None else min(high, as_of + 1)
