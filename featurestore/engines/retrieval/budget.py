"""Keeping an answer within a memory limit, or saying which limit is enough.

The limit covers what the engine holds: the spine, the answer, and in each thread one chunk with
the kernel's arrays. The interpreter and its libraries, some 250 MB, come on top.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pyarrow as pa

from featurestore.engines.retrieval.cost import Need, held_bytes, need_of, quickest_rows, row_bytes
from featurestore.engines.retrieval.limiter import Room
from featurestore.errors import RequestError
from featurestore.query.nodes import Aggregate, Query, ViewQuery
from featurestore.store.delta.snapshot import Snapshot


@dataclass(frozen=True)
class Budget:
    """What chunks may take.

    Args:
        query: What is asked.
        needs: What its uses of views take, in their order.
        held: What the spine and the answer take.
        room: What all chunks may take together that are in work at a time.
        threads: How many these are.
    """

    query: Query
    needs: tuple[Need, ...]
    held: int = 0
    room: Room = field(default_factory=Room)
    threads: int = 1

    def rows_at_once(self, need: Need) -> int:
        """Return about how many stored rows, and spine rows, a chunk of a view shall have.

        Example:
            >>> need = Need("v", reading=40_000, stored=80, asked=40)
            >>> Budget(Query("ask", ()), (need,), room=Room(1_000_000)).rows_at_once(need)
            5333
        """
        if self.room.size is None:
            return need.quick
        share = self.room.size // self.threads - need.reading
        # A chunk may come out half as large again, where its ends are moved to those of files.
        return max(1, min(need.quick, 2 * share // (3 * (need.stored + need.asked))))

    def keys_kept(self, need: Need) -> int | None:
        """Return of how many rows a chunk may keep keys before its size is known; None for all.

        These are as many as a chunk is meant to have at most, so that what they take fits.

        Example:
            >>> need = Need("v", reading=40_000, stored=80, asked=40)
            >>> Budget(Query("ask", ()), (need,), room=Room(1_000_000)).keys_kept(need)
            7999
        """
        return None if self.room.size is None else self.rows_at_once(need) * 3 // 2

    def refuse(self, need: Need, whose: str, stored: int, asked: int) -> None:
        """Refuse a chunk that does not fit even by itself, and cannot be cut.

        Args:
            need: What its view takes.
            whose: Whose rows they are, in words.
            stored: How many stored rows it has.
            asked: How many spine rows.

        Raises:
            RequestError: In any case.
        """
        size = need.of(stored, asked)
        fewer = need.of(stored, asked // 2) <= (self.room.size or 0)
        raise RequestError(
            self.query.call,
            f"{whose} has {stored:,} rows, asked for by {asked:,} spine rows, "
            f"which take {at_least(size)} at once; memory_limit leaves "
            f"{at_least(self.room.size or 0)}",
            f"Give at least memory_limit='{at_least(self.held + size)}'"
            f"{', or ask with fewer spine rows of it at a time' if fewer else ''}.",
        )


def budget(
    query: Query,
    spine: pa.Table,
    snapshots: Mapping[str, Snapshot],
    limit: int | None,
    cores: int,
) -> Budget:
    """Return what chunks of a query may take within a memory limit, and how many at a time.

    Args:
        query: What is asked.
        spine: The bound spine.
        snapshots: The pinned table of each view, by name.
        limit: In bytes; None for no limit.
        cores: At most so many chunks are in work at a time; fewer, where all would not fit.

    Raises:
        RequestError: The limit is too small to work in.

    Example:
        >>> budget(Query("ask", ()), pa.table({"x": [1]}), {}, None, 2).threads
        2
    """
    if limit is None or not query.views:
        # What nobody holds against a limit is not worked out.
        boundless = tuple(
            Need(view.view, 0, 0, 0, quick=quickest_rows(view)) for view in query.views
        )
        return Budget(query, boundless, threads=cores)
    needs = tuple(need_of(view, snapshots[view.view]) for view in query.views)
    held, rows = held_bytes(query, spine), int(spine.num_rows)
    least = max(need.least(rows) for need in needs)
    threads = min(cores, (limit - held) // least) if least else cores
    if threads < 1:
        raise _too_small(query, spine, snapshots, limit)
    return Budget(query, needs, held, Room(limit - held), threads)


def require_rows_fit(
    call: str, view: ViewQuery, snapshot: Snapshot, rows: int, limit: int | None
) -> None:
    """Refuse to read stored rows as they are where they take more than a memory limit.

    Args:
        call: The call that reads them.
        view: The use of the view.
        snapshot: The view's pinned table.
        rows: How many rows are read.
        limit: In bytes; None for no limit.

    Raises:
        RequestError: They take more.
    """
    size = rows * row_bytes(view, snapshot)
    if limit is not None and size > limit:
        raise RequestError(
            call,
            f"memory_limit is {format_bytes(limit)}; the {rows:,} rows of view {view.view!r} "
            f"that must be read take about {at_least(size)}",
            f"Give at least memory_limit='{at_least(size)}', or fewer columns, or a shorter time "
            "from start to end.",
        )


def format_bytes(size: int) -> str:
    """Return a number of bytes exactly, in the largest unit that makes it a whole number.

    Example:
        >>> [format_bytes(size) for size in (480_000_000, 1_500_000, 2**30, 7)]
        ['480MB', '1500kB', '1GiB', '7B']
    """
    fitting = [unit for unit, bytes_ in _UNITS.items() if size % bytes_ == 0]
    return f"{size // _UNITS[fitting[0]]}{fitting[0]}"


def at_least(size: int) -> str:
    """Return a number of bytes as a person reads it, rounded up to whole megabytes.

    Example:
        >>> at_least(7_000_000), at_least(7_000_001)
        ('7MB', '8MB')
    """
    return f"{-(-size // _UNITS['MB'])}MB"


_UNITS = {
    "TB": 1000**4, "TiB": 1024**4, "GB": 1000**3, "GiB": 1024**3,
    "MB": 1000**2, "MiB": 1024**2, "kB": 1000, "KiB": 1024, "B": 1,
}  # fmt: skip


def _too_small(
    query: Query, spine: pa.Table, snapshots: Mapping[str, Snapshot], limit: int
) -> RequestError:
    held = held_bytes(query, spine)
    needs = (need_of(view, snapshots[view.view]) for view in query.views)
    most = max(needs, key=lambda need: need.least(spine.num_rows))
    least = most.least(spine.num_rows)
    return RequestError(
        query.call,
        f"memory_limit is {format_bytes(limit)}; the spine and its answer take {at_least(held)}, "
        f"and reading view {most.view!r} with one thread at least {at_least(least)}",
        f"Give at least memory_limit='{at_least(held + least)}'"
        f"{_what_else_helps(query, spine, snapshots, limit)}.",
    )


def _what_else_helps(
    query: Query, spine: pa.Table, snapshots: Mapping[str, Snapshot], limit: int
) -> str:
    """Return how to ask for less, where that would fit."""
    rows = bisect_right(
        range(spine.num_rows + 1),
        limit,
        key=lambda count: _needed(query, spine.slice(0, count), snapshots),
    )
    if rows > 1:
        return f", or ask with at most {rows - 1:,} spine rows at a time"
    singles = [single for view in query.views for single in _singles(view)]
    alone = (_needed(replace(query, views=(single,)), spine, snapshots) for single in singles)
    if len(singles) > 1 and all(needed <= limit for needed in alone):
        return ", or ask for fewer features at a time"
    return ""


def _needed(query: Query, spine: pa.Table, snapshots: Mapping[str, Snapshot]) -> int:
    least = (need_of(view, snapshots[view.view]).least(spine.num_rows) for view in query.views)
    return held_bytes(query, spine) + max(least)


def _singles(view: ViewQuery) -> list[ViewQuery]:
    """Return a use of the view for each of its features."""
    return [
        replace(view, columns=(), aggregates=(feature,))
        if isinstance(feature, Aggregate)
        else replace(view, columns=(feature,), aggregates=())
        for feature in view.features
    ]
