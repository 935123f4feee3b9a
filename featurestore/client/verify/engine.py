"""The engine's answers for a verification, without the rows where a sum overflows."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pyarrow as pa

from featurestore.client.arrow_rows import rows_at
from featurestore.client.reader import Reader
from featurestore.client.verify.recompute import Cells
from featurestore.client.verify.values import OVERFLOW
from featurestore.errors import SumOverflowError
from featurestore.query.nodes import Query
from featurestore.store.delta.snapshot import Snapshot

MOST_OVERFLOWS = 20
"""At most this many overflowing rows of a feature are re-checked, one call each."""

Answers = dict[str, dict[int, Any]]
"""The engine's value for each feature and row, or `OVERFLOW` where it raises that error."""

_Answer = Callable[[Collection[str], Sequence[int]], Answers]


def engine_answers(
    reader: Reader, query: Query, bound: pa.Table, snapshot: Snapshot, cells: dict[int, Cells]
) -> Answers:
    """Return the engine's answers at the rows that the reference has answered.

    One overflow makes the engine refuse the whole call. Then the rows whose reference overflows
    are answered in calls of their own, at most `MOST_OVERFLOWS` for each feature. Further such
    rows have no answer in the result.

    Args:
        reader: Answers within the project's memory limit.
        query: A query of one use of one view.
        bound: The bound spine.
        snapshot: The view's pinned table.
        cells: The reference cells, by the positions of their spine rows.
    """
    [view] = query.views
    answer = partial(_answer, reader, query, bound, snapshot)
    try:
        answers = reader.answer(query, bound, {view.view: snapshot}).to_pydict()
    except SumOverflowError:
        return _answer_apart(view.outputs, cells, answer)
    return {name: {row: answers[name][row] for row in cells} for name in view.outputs}


def _answer_apart(names: Sequence[str], cells: dict[int, Cells], answer: _Answer) -> Answers:
    """Answer overflowing rows one by one, and all others of a feature in one call."""
    features_by_rows: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for name in names:
        rows = (row for row, cell in cells.items() if cell.values[name] is OVERFLOW)
        features_by_rows[tuple(rows)].append(name)
    answers: Answers = {}
    for overflowing, features in features_by_rows.items():
        others = answer(features, [row for row in cells if row not in set(overflowing)])
        for name in features:
            single = [answer([name], [row])[name] for row in overflowing[:MOST_OVERFLOWS]]
            answers[name] = others[name] | {row: v for each in single for row, v in each.items()}
    return answers


def _answer(
    reader: Reader,
    query: Query,
    bound: pa.Table,
    snapshot: Snapshot,
    names: Collection[str],
    rows: Sequence[int],
) -> Answers:
    """Answer some features at some rows; after an overflow in parts, down to single cells."""
    [view] = query.views
    again = partial(_answer, reader, query, bound, snapshot)
    positions = pa.array(rows, pa.int64())
    try:
        table = reader.answer(
            replace(query, views=(view.only(names),)),
            rows_at(bound, positions),
            {view.view: snapshot},
        )
    except SumOverflowError:
        if len(names) > 1:
            return {name: again([name], rows)[name] for name in names}
        [name] = names
        if len(rows) == 1:
            return {name: {rows[0]: OVERFLOW}}
        middle = len(rows) // 2
        return {name: again(names, rows[:middle])[name] | again(names, rows[middle:])[name]}
    answers = table.to_pydict()
    return {name: dict(zip(rows, answers[name], strict=True)) for name in names}
