"""A spine from a view's events, for example from chargebacks that are labels."""

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
from featurestore.times import parse_moment_argument, to_micros


@dataclass(frozen=True)
class EventSelection:
    """The events of a view that become a spine.

    Args:
        view: The view's name.
        columns: The view's fields to return, or one of them. None for all.
        start: The earliest event time. None for no limit.
        end: The end of the event times, exclusive. None for no limit.
    """

    view: str
    columns: str | Sequence[str] | None = None
    start: str | datetime | None = None
    end: str | datetime | None = None

    @property
    def call(self) -> str:
        """The call's text, for error messages."""
        return f"get_label_spine({self.view!r})"


def label_spine(
    manifest: Manifest, reader: Reader, selection: EventSelection, as_of: datetime
) -> pa.Table:
    """Return a view's events as a spine.

    Args:
        manifest: The applied definitions.
        reader: Reads the tables.
        selection: The view, its fields and the event times.
        as_of: Only events that exist at this moment are returned.

    Returns:
        Join keys, ``event_timestamp`` and the fields, sorted by event time and keys.

    Raises:
        NotFoundError: The view or a column is not applied.
        RequestError: The end is not after the start, or the events do not fit the memory limit.
        TableError: The view is not materialized, or was changed since.
    """
    view = manifest.view(selection.view)
    if view is None:
        problem = f"no view {selection.view!r} is applied"
        near = nearest(selection.view, [each.name for each in manifest.views])
        raise NotFoundError(selection.call, problem, near)
    query, moment = _query(view, selection), to_micros(as_of)
    low, high = _bounds(selection, moment)
    snapshot = reader.pin(Query(selection.call, (query,)), manifest)[view.name]
    # A revision may move its event: the superseding row may lie outside the bounds.
    first = None if query.rows.unique_by else low
    bounds = Bounds(None, time_low=first, time_high=moment)
    rows = reader.read(selection.call, query, snapshot, bounds)
    rows = rows_at(rows, positions_valid_at(query, rows, moment))
    times = rows[EVENT_TIME].cast(pa.int64())
    inside = pc.less(times, high)
    inside = inside if low is None else pc.and_(inside, pc.greater_equal(times, low))
    names = [key.key for key in query.keys]
    spine = rows_where(rows.select([*names, EVENT_TIME, *query.value_columns]), inside)
    return spine.sort_by([(name, "ascending") for name in (EVENT_TIME, *names)])


def _query(view: FeatureView, selection: EventSelection) -> ViewQuery:
    types = {field.name: field.dtype for field in view.schema}
    chosen = types if selection.columns is None else selection.columns
    names = [chosen] if isinstance(chosen, str) else list(dict.fromkeys(chosen))
    for name in names:
        if name not in types:
            raise NotFoundError(
                selection.call, f"view {view.name!r} has no field {name!r}", nearest(name, types)
            )
    columns = tuple(Column(name, name, types[name]) for name in names)
    return replace(compile_view(view), columns=columns, aggregates=())


def _bounds(selection: EventSelection, as_of: int) -> tuple[int | None, int]:
    """Return the first microsecond of the event times and the one after their last."""
    low, high = (
        None if each is None else to_micros(parse_moment_argument(selection.call, name, each))
        for name, each in (("start", selection.start), ("end", selection.end))
    )
    if low is not None and high is not None and high <= low:
        raise RequestError(
            selection.call,
            f"the end, {selection.end}, is not after the start, {selection.start}",
            "Use a start before the end.",
        )
    return low, as_of + 1 if high is None else min(high, as_of + 1)
