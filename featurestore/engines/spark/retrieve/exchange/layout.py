"""The rows of one exchange: those of the spine, and the stored ones of each use of a view.

A row has its key, its bucket, and other columns that depend on its source: 0 for the spine, or the
number of a use of a view in the key set.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from featurestore.engines.spark.retrieve.exchange.buckets import HotKey, Span, bucket_numbers
from featurestore.engines.spark.retrieve.exchange.key_sets import KeySet, ordered_keys
from featurestore.query.nodes import ViewQuery
from featurestore.query.requirements import needed_columns
from featurestore.store.columns import AVAILABLE_TIME, EVENT_TIME

BUCKET, TIME, SOURCE = "bucket", "time", "source"
"""The columns of a row's bucket, of its event time, and of its source."""

SINCE = "since"
"""The column of the first moment at which a stored row may change an answer."""

SPINE_SOURCE = 0
NULL_KEYS = -1
"""The source of spine rows with a null key, which need no stored row."""

_USER, _BOUND, _ANSWERS = "user", "bound", "answers"


@dataclass(frozen=True)
class SpineLayout:
    """How the spine's rows go through the exchange of one key set.

    Args:
        key_set: The key set.
        later: The key sets of the exchanges after it.
        hot: The hot keys of the key set.
        spans: For each time column, the moments of rows with all keys when the call was planned;
            None for none. Empty if they are unknown.
        parts: The number of parts into which the exchange divides the keys.
    """

    key_set: KeySet
    later: tuple[KeySet, ...] = ()
    hot: tuple[HotKey, ...] = ()
    spans: Mapping[str, Span | None] = field(default_factory=dict)
    parts: int = 1

    @property
    def bound(self) -> tuple[str, ...]:
        """The key and time columns that go along, besides the key of the exchange."""
        names = [name for each in self.later for name in (*each.columns, *each.moments)]
        return tuple(dict.fromkeys((*self.key_set.moments, *names)))


def key_name(position: int) -> str:
    """Return the name of a key's column in an exchange."""
    return f"key{position}"


def value_name(position: int) -> str:
    """Return the name in an exchange of a column of `stored_names`."""
    return f"value{position}"


def stored_names(use: ViewQuery) -> list[str]:
    """Return the stored columns that go through an exchange besides the key and the event time."""
    left_out = {EVENT_TIME, *(key.key for key in use.keys)}
    if not use.rows.has_available:  # then it follows from the event time, and breaks no tie
        left_out.add(AVAILABLE_TIME)
    return [name for name in needed_columns(use) if name not in left_out]


def spine_rows(
    layout: SpineLayout, rows: pa.Table, bound: pa.Table, answers: pa.Table
) -> pa.Table:
    """Return spine rows as they go through an exchange.

    Args:
        layout: How they go through it.
        rows: The rows, with the user's columns.
        bound: Their key and time columns.
        answers: Their answers until then.
    """
    columns = {key_name(n): bound[name] for n, name in enumerate(layout.key_set.columns)}
    columns[BUCKET] = pa.array(bucket_numbers(layout.key_set, layout.hot, bound, rows))
    parts = {_USER: rows, _BOUND: bound.select(list(layout.bound)), _ANSWERS: answers}
    columns |= {name: _struct(part) for name, part in parts.items() if part.num_columns}
    return pa.table(columns)


def spine_tables(layout: SpineLayout, rows: pa.Table) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return the user's columns, the key and time columns, and the answers of `spine_rows`.

    Args:
        layout: How the rows went through an exchange.
        rows: The rows that came out of it.
    """
    bound = {name: rows[key_name(n)] for n, name in enumerate(layout.key_set.columns)}
    kept = _table(rows[_BOUND])
    bound |= {name: kept[name] for name in kept.column_names}
    answers = _table(rows[_ANSWERS]) if _ANSWERS in rows.column_names else rows.select([])
    return _table(rows[_USER]), pa.table(bound), answers


def stored_table(use: ViewQuery, rows: pa.Table) -> pa.Table:
    """Return the stored rows of a use of a view with the columns that the kernel takes.

    Args:
        use: The use.
        rows: Its rows that came out of an exchange.
    """
    columns = {key.key: rows[key_name(n)] for n, key in enumerate(ordered_keys(use))}
    columns[EVENT_TIME] = rows[TIME]
    return pa.table(
        columns | {name: rows[value_name(n)] for n, name in enumerate(stored_names(use))}
    )


def _struct(table: pa.Table) -> pa.StructArray:
    arrays = [column.combine_chunks() for column in table.columns]
    return pa.StructArray.from_arrays(arrays, fields=[*table.schema])


def _table(column: pa.ChunkedArray) -> pa.Table:
    return pa.Table.from_arrays(column.flatten(), schema=pa.schema([*column.type]))
