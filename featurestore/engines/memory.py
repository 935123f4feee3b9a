"""What an answer takes in memory, so that it keeps within a limit or says which one is enough.

The limit covers what the engine holds: the spine, the answer, and in each thread one chunk with
the kernel's arrays. The interpreter and its libraries, some 250 MB, come on top.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pyarrow as pa

from featurestore.engines.arrange import order_of
from featurestore.engines.collect import fixed_width
from featurestore.engines.room import Room
from featurestore.engines.scan import most_rows_read, needed_columns
from featurestore.errors import RequestError
from featurestore.query.nodes import Aggregate, Query, ViewQuery
from featurestore.store.columns import arrow_type
from featurestore.store.snapshot import Snapshot

ROWS_PER_CHUNK = 400_000
"""More at once is no quicker."""

ROWS_OF_WINDOWS = 250_000
"""More at once is slower: the arrays that windows take no longer fit the processor's cache."""

LEAST_ROWS = 10_000
"""Fewer at once would read each row group too many times."""

_WORD = 8
# Arrays of a word a stored row that the kernel makes: codes, times, composed numbers, positions.
_ARRAYS = 10
# Of an aggregated column: digits and running sums, an order, five levels of two range tables.
_ARRAYS_OF_AGGREGATES = 25
# Of a spine row: codes, times, places, winners; of a window: its two edges, and where they fall.
_ARRAYS_ASKED, _ARRAYS_OF_WINDOWS = 8, 4
# Of a spine row, once an order: its place and time, and what sorting leaves to the allocators.
_ARRAYS_ARRANGED = 6
_TEXT = 32
# As a part of what was read, of which half or more is wanted.
_KEY_KEPT = 2 * _WORD
# A column as it is read, and as its part that is kept or looked at.
_READ_TWICE = 2


@dataclass(frozen=True)
class Need:
    """About what a chunk of one use of a view takes, in bytes.

    Args:
        view: The view's name.
        reading: To read a column, before the wanted rows are picked.
        stored: For a stored row of a wanted key, with the kernel's arrays.
        asked: For a spine row, with its answers.
        stored_rows: How many rows the view's table has.
        quick: How many rows at once are quickest.

    Example:
        >>> Need("v", reading=50, stored=7, asked=5).of(10, 1)
        125
    """

    view: str
    reading: int
    stored: int
    asked: int
    stored_rows: int = 0
    quick: int = ROWS_PER_CHUNK

    def of(self, stored: int, asked: int) -> int:
        """Return what a chunk of so many stored rows and spine rows takes."""
        return self.reading + stored * self.stored + asked * self.asked

    def looking(self, keys_kept: int | None) -> int:
        """Return what it takes to find a chunk's rows, and to keep the keys of so many."""
        return self.reading + (keys_kept or 0) * _KEY_KEPT

    def least(self, spine_rows: int) -> int:
        """Return what the smallest chunk takes that is worth to be cut."""
        return self.of(min(self.stored_rows, LEAST_ROWS), min(spine_rows, LEAST_ROWS))


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
            self.query.asked,
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
        boundless = tuple(Need(view.view, 0, 0, 0, quick=_quick(view)) for view in query.views)
        return Budget(query, boundless, threads=cores)
    needs = tuple(need_of(view, snapshots[view.view]) for view in query.views)
    held, rows = held_bytes(query, spine), int(spine.num_rows)
    least = max(need.least(rows) for need in needs)
    threads = min(cores, (limit - held) // least) if least else cores
    if threads < 1:
        raise _too_small(query, spine, snapshots, limit)
    return Budget(query, needs, held, Room(limit - held), threads)


def need_of(view: ViewQuery, snapshot: Snapshot) -> Need:
    """Return about what chunks of a view take."""
    keys = sum(2 * _width(arrow_type(key.dtype)) for key in view.keys)
    columns = {name: snapshot.schema.field(name).type for name in needed_columns(view)}
    values = sum(2 * _width(columns[feature.column]) for feature in view.columns)
    aggregated = {name for each in view.aggregates for name in (each.column, each.by) if name}
    arrays = _ARRAYS + _ARRAYS_OF_AGGREGATES * len(aggregated)
    windows = len({aggregate.window for aggregate in view.aggregates})
    return Need(
        view.view,
        reading=_READ_TWICE * most_rows_read(snapshot) * max(map(_width, columns.values())),
        stored=_WORD * arrays + keys + values,
        asked=_WORD * (_ARRAYS_ASKED + _ARRAYS_OF_WINDOWS * windows) + keys + 2 * _answers(view),
        stored_rows=snapshot.rows,
        quick=_quick(view),
    )


def held_bytes(query: Query, spine: pa.Table) -> int:
    """Return what the bound spine, once more in each order, and the answer take."""
    orders = len({order_of(view) for view in query.views})
    answers = sum(_answers(view) for view in query.views)
    arranged = _WORD * _ARRAYS_ARRANGED * orders
    return int(spine.nbytes) * (1 + orders) + int(spine.num_rows) * (arranged + answers)


def told(size: int) -> str:
    """Return a number of bytes exactly, in the largest unit that makes it a whole number.

    Example:
        >>> told(480_000_000), told(1_500_000), told(2**30), told(7)
        ('480MB', '1500kB', '1GiB', '7B')
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
        query.asked,
        f"memory_limit is {told(limit)}; the spine and its answer take {at_least(held)}, "
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


def _quick(view: ViewQuery) -> int:
    return ROWS_OF_WINDOWS if view.aggregates else ROWS_PER_CHUNK


def _answers(view: ViewQuery) -> int:
    """Return what a row of answers takes; a byte each says whether it is null."""
    return sum(_width(arrow_type(feature.result)) + 1 for feature in view.features)


def _width(dtype: pa.DataType) -> int:
    return fixed_width(dtype) or _TEXT
