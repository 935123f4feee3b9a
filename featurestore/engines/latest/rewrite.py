"""The files of a `latest` table that have changed keys, written again with the new answers."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from featurestore.engines.latest.answer import LatestTask, answer_keys, files_within
from featurestore.engines.latest.changes import Since, changed_keys
from featurestore.engines.latest.ranges import KeyRange
from featurestore.store.delta.files import open_file
from featurestore.store.delta.pruning import bound
from featurestore.store.delta.replacement import NewFile, write_files
from featurestore.store.delta.snapshot import Snapshot


@dataclass(frozen=True)
class FileGroup:
    """Files of a `latest` table that hold all keys of a range, and no other key.

    Args:
        keys: The range.
        files: The bytes of each file, by its path in the table.
        rows: The number of their rows.
    """

    keys: KeyRange
    files: dict[str, int]
    rows: int


@dataclass(frozen=True)
class Rewritten:
    """What has replaced a group's files.

    Args:
        files: The new files.
        keys: The number of keys that were answered; without one, the old files stay.
    """

    files: tuple[NewFile, ...] = ()
    keys: int = 0


def file_groups(latest: Snapshot, key: str) -> list[FileGroup] | None:
    """Return the table's files in groups whose ranges do not overlap, in ascending order.

    Together the ranges hold every key, also those that the table does not have yet.

    Args:
        latest: The `latest` table.
        key: The first join key.

    Returns:
        None if the log lacks the range of a file, or if the table has no file.
    """
    bounds = [bound(latest.files, side, key) for side in ("min", "max")]
    if any(side is None or side.null_count or not len(side) for side in bounds):
        return None
    names = ("path", "size_bytes", "num_records")
    columns = [*bounds, *(latest.files[name] for name in names)]
    files = sorted(zip(*(column.to_pylist() for column in columns), strict=True))
    groups: list[FileGroup] = []
    starts, last = [], None
    for low, high, path, size, rows in files:
        if last is None or low > last:
            groups.append(FileGroup(KeyRange(), {}, 0))
            starts.append(low)
        group = groups[-1]
        groups[-1] = FileGroup(group.keys, group.files | {path: size}, group.rows + (rows or 0))
        last = high if last is None else max(high, last)
    edges = [None, *starts[1:], None]
    return [
        FileGroup(KeyRange(low, stop), group.files, group.rows)
        for low, stop, group in zip(edges, edges[1:], groups, strict=False)
    ]


def rewrite(
    task: LatestTask, features: Snapshot, latest: Snapshot, since: Since, group: FileGroup
) -> Rewritten:
    """Answer the changed keys of a group, and write its rows again if there are any.

    No commit is made, so that no reader sees the new files yet.

    Args:
        task: The task.
        features: Its feature table, at its version.
        latest: The `latest` table of the last refresh.
        since: What has happened to the feature table since then.
        group: The files.
    """
    keys = changed_keys(task, features, since, group.keys)
    if not keys.num_rows:
        return Rewritten()
    part = files_within(features, task.keys[0], group.keys)
    answers = answer_keys(task, part, keys)
    rows = with_answers(_read(latest, group), answers.cast(latest.schema), task.keys)
    return Rewritten(tuple(write_files(latest, rows)), keys.num_rows)


def with_answers(rows: pa.Table, answers: pa.Table, keys: Sequence[str]) -> pa.Table:
    """Return rows sorted by key, where an answer takes the place of the row with its key.

    Args:
        rows: The rows of a table, one for each key.
        answers: Other rows with the same columns, one for each key.
        keys: The columns with the keys.

    Example:
        >>> old = pa.table({"k": [1, 3], "x": [5, 6]})
        >>> new = pa.table({"k": [3, 2], "x": [7, 8]})
        >>> with_answers(old, new, ["k"]).to_pydict()
        {'k': [1, 2, 3], 'x': [5, 8, 7]}
    """
    both = pa.concat_tables([answers, rows])
    # By numbers: Arrow takes a name such as ".a" for a path to a part of a column.
    names = [str(number) for number in range(len(keys))]
    order = pa.table([*(both[name] for name in keys), _places(both)], [*names, "place"])
    positions = pc.sort_indices(order, [(name, "ascending") for name in order.column_names])
    ordered = order.take(positions)
    first = pa.array([True])
    again = pa.array([True] * max(both.num_rows - 1, 0), pa.bool_())
    for name in names:
        column = ordered[name].combine_chunks()
        again = pc.and_(again, pc.equal(column[1:], column[:-1]))
    return both.take(positions.filter(pa.concat_arrays([first, pc.invert(again)])))


def _places(rows: pa.Table) -> pa.Array:
    return pa.array(range(rows.num_rows), pa.int64())


def _read(latest: Snapshot, group: FileGroup) -> pa.Table:
    parts = []
    for path in group.files:
        file = open_file(latest, path)
        parts.append(file.read(range(file.data.num_row_groups), latest.schema.names))
    return pa.concat_tables([part.cast(latest.schema) for part in parts])
