"""Moments before the first run of a snapshot view: nobody recorded what its source was then."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.engines.explain.excluded import format_time
from featurestore.query.nodes import Query
from featurestore.store.columns import EVENT_TIME
from featurestore.store.delta.pruning import bound as statistic
from featurestore.store.delta.snapshot import Snapshot


@dataclass(frozen=True)
class EarlyRows:
    """Spine rows with a moment before the first run of a snapshot view.

    Args:
        view: The view's name.
        rows: The number of these spine rows. A row counts for each use of the view.
        first_run: The time of the first run that found a row, in UTC microseconds.
    """

    view: str
    rows: int
    first_run: int

    @property
    def reason(self) -> str:
        """Why the features of these rows are null, as a sentence without its end."""
        return (
            f"{self.view} is a snapshot view: nothing was recorded of its source before its first "
            f"run, at {format_time(self.first_run)}"
        )

    def __str__(self) -> str:
        """Return the finding, and what follows from it.

        Example:
            >>> print(EarlyRows("shops", 2, 0))  # doctest: +NORMALIZE_WHITESPACE
            2 rows have a moment before the first run of shops, so their features of it are null:
            shops is a snapshot view: nothing was recorded of its source before its first run,
            at 1970-01-01 00:00:00Z
        """
        rows = "1 row has" if self.rows == 1 else f"{self.rows:,} rows have"
        return (
            f"{rows} a moment before the first run of {self.view}, so their features of it are "
            f"null: {self.reason}"
        )


def early_rows(
    query: Query,
    spine: pa.Table,
    snapshots: Mapping[str, Snapshot],
    snapshot_views: Collection[str],
) -> dict[str, EarlyRows]:
    """Return the spine rows before the first runs of snapshot views, by the view's name.

    Args:
        query: The query.
        spine: The bound spine.
        snapshots: The pinned tables that were read.
        snapshot_views: The names of the views that are snapshot views.

    Returns:
        The views with such a row. The first run is known to the millisecond.
    """
    found: dict[str, EarlyRows] = {}
    for view in query.views:
        if view.view not in snapshot_views:
            continue
        first = _first_time(snapshots[view.view])
        if first is None:
            continue
        moments = spine[view.timestamp_field]
        count = pc.sum(pc.less(moments, pa.scalar(first, moments.type))).as_py() or 0
        before = found[view.view].rows if view.view in found else 0
        if before + count:
            found[view.view] = EarlyRows(view.view, before + count, first)
    return found


def _first_time(snapshot: Snapshot) -> int | None:
    """Return the earliest stored time; None of a table without rows or statistics."""
    times = statistic(snapshot.files, "min", EVENT_TIME)
    if times is None or times.null_count or not len(times):
        return None
    earliest = pc.min(times).cast(pa.timestamp("us", times.type.tz)).cast(pa.int64())
    return int(earliest.as_py())
