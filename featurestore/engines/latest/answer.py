"""The answers of a range of keys: one row for each key, as of one moment.

A task gets plain data: the table's address and version, and the range. It reads its own part of
the table with the engine in process, so nothing is shuffled.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, replace

import pyarrow as pa

from featurestore.engines.bind import bind
from featurestore.engines.latest.ranges import KeyRange
from featurestore.engines.retrieval.answer import answer
from featurestore.engines.retrieval.scan import Bounds, open_rows
from featurestore.errors import SumOverflowError
from featurestore.query.nodes import Query, ViewQuery
from featurestore.store.columns import UTC_MICROS
from featurestore.store.delta.pruning import may_hold
from featurestore.store.delta.snapshot import Snapshot

AS_OF = "as_of"
"""The column with the moment at which a row was computed; rows may have different ones."""

REFRESH = "refresh latest table"
"""The name of the operation in messages."""

# The most stored rows that are answered at once; a key with more rows is answered alone.
ROWS_PER_ANSWER = 500_000


@dataclass(frozen=True)
class LatestTask:
    """What a task needs to answer keys, as plain data, because Spark pickles it.

    Args:
        query: The view's query, with the spine's columns named like the keys.
        as_of: The moment of the answers, in UTC microseconds.
        uri: The feature table's address.
        version: Its pinned version.
        rows_per_answer: About how many stored rows are answered at once.
    """

    query: ViewQuery
    _: KW_ONLY
    as_of: int
    uri: str
    version: int
    rows_per_answer: int = ROWS_PER_ANSWER

    @property
    def keys(self) -> list[str]:
        """The names of the join keys."""
        return [binding.key for binding in self.query.keys]


def answer_range(task: LatestTask, snapshot: Snapshot, keys: KeyRange) -> Iterator[pa.Table]:
    """Yield one row for each stored key of a range, sorted by key; none without stored rows.

    A view without keys has exactly one row.

    Args:
        task: The task.
        snapshot: Its feature table, at its version.
        keys: The range.
    """
    if not task.keys:
        yield answer_keys(task, snapshot, None)
        return
    part = files_within(snapshot, task.keys[0], keys)
    found = stored_keys(task, part, keys)
    if found.num_rows:
        yield answer_keys(task, part, found)


def files_within(snapshot: Snapshot, key: str, keys: KeyRange) -> Snapshot:
    """Return the table with the files only that may have keys of a range.

    The engine decides from the number of rows how many keys it answers at once.

    Args:
        snapshot: The table.
        key: The first join key.
        keys: The range.
    """
    dtype = snapshot.schema.field(key).type
    # As the log has it: statistics of all integers are 64 bits wide.
    wide = pa.int64() if pa.types.is_integer(dtype) else dtype
    low, stop = (None if end is None else pa.scalar(end, wide) for end in (keys.low, keys.stop))
    matching = pa.array(may_hold(snapshot.files, key, low, stop))
    return replace(snapshot, files=snapshot.files.filter(matching))


def answer_keys(task: LatestTask, snapshot: Snapshot, keys: pa.Table | None) -> pa.Table:
    """Return one row for each of some keys, in their order.

    Args:
        task: The task.
        snapshot: Its feature table, at its version.
        keys: Distinct keys; None for a view without keys.
    """
    count = 1 if keys is None else keys.num_rows
    own = {} if keys is None else {name: keys[name] for name in task.keys}
    moments = pa.array([task.as_of], pa.int64()).cast(UTC_MICROS).take(pa.repeat(0, count))
    spine = pa.table({task.query.timestamp_field: moments} | own)
    query = Query(REFRESH, (task.query,), task.query.timestamp_field)
    with _overflow_without_row():
        answers = answer(
            query,
            bind(query, spine),
            {task.query.view: snapshot},
            rows_per_chunk=task.rows_per_answer,
            threads=1,  # Spark runs a task on each core
        )
    features = {name: answers[name] for name in task.query.outputs}
    return pa.table(own | features | {AS_OF: moments})


def stored_keys(task: LatestTask, snapshot: Snapshot, keys: KeyRange) -> pa.Table:
    """Return the distinct keys of a range that have stored rows, sorted."""
    rows = open_rows(snapshot, Bounds(task.keys[0], keys.low, keys.stop))
    return distinct_keys(pa.table({name: rows[name] for name in task.keys}), keys)


def distinct_keys(stored: pa.Table, keys: KeyRange) -> pa.Table:
    """Return the distinct rows of a table of keys, sorted, without those that have a null.

    Args:
        stored: The parts of keys, the first part first.
        keys: The range; keys outside of it are left out.

    Example:
        >>> distinct_keys(pa.table({"a": [2, 1, 2, None, 9]}), KeyRange(stop=9))["a"].to_pylist()
        [1, 2]
    """
    # By numbers: Arrow takes a name such as ".a" for a path to a part of a column.
    names = [str(number) for number in range(stored.num_columns)]
    inside = stored.filter(keys.mask(stored.column(0))).rename_columns(names).drop_null()
    distinct = inside.group_by(names, use_threads=False).aggregate([])
    ordered = distinct.sort_by([(name, "ascending") for name in names])
    return ordered.rename_columns(stored.column_names)


@contextmanager
def _overflow_without_row() -> Iterator[None]:
    """Raise the kernel's own error of a sum, without the row: the user has no spine."""
    try:
        yield
    except SumOverflowError as error:
        own = error.__context__
        raise (own if isinstance(own, SumOverflowError) else error) from None
