"""The engine's answers to a check, also where it refuses some since a sum overflows."""

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

MOST_REFUSED = 20
"""How many rows of a feature are asked that the rules refuse: each by itself."""

Answers = dict[str, dict[int, Any]]
"""By feature and row, what the engine answers, or `OVERFLOW` where it refuses to."""

_Ask = Callable[[Collection[str], Sequence[int]], Answers]


def engine_answers(
    reader: Reader, query: Query, bound: pa.Table, snapshot: Snapshot, cells: dict[int, Cells]
) -> Answers:
    """Return what the engine answers at the rows of cells.

    Where a sum overflows the engine answers nothing, so what the rules refuse is asked by itself,
    of each feature at no more than `MOST_REFUSED` rows; others are left out.

    Args:
        reader: Answers within the project's memory limit.
        query: The use of one view.
        bound: The bound spine.
        snapshot: The view's pinned table.
        cells: What the rules give, by the rows' places.
    """
    [view] = query.views
    ask = partial(_ask, reader, query, bound, snapshot)
    try:
        answers = reader.answer(query, bound, {view.view: snapshot}).to_pydict()
    except SumOverflowError:
        return _apart(view.outputs, cells, ask)
    return {name: {row: answers[name][row] for row in cells} for name in view.outputs}


def _apart(names: Sequence[str], cells: dict[int, Cells], ask: _Ask) -> Answers:
    alike: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for name in names:
        rows = (row for row, cell in cells.items() if cell.values[name] is OVERFLOW)
        alike[tuple(rows)].append(name)
    found: Answers = {}
    for refused, features in alike.items():
        answered = ask(features, [row for row in cells if row not in set(refused)])
        for name in features:
            alone = [ask([name], [row])[name] for row in refused[:MOST_REFUSED]]
            found[name] = answered[name] | {row: v for each in alone for row, v in each.items()}
    return found


def _ask(
    reader: Reader,
    query: Query,
    bound: pa.Table,
    snapshot: Snapshot,
    names: Collection[str],
    rows: Sequence[int],
) -> Answers:
    """Ask for features at rows; where the engine refuses, for parts of them, down to one cell."""
    [view] = query.views
    part = replace(
        view,
        columns=tuple(each for each in view.columns if each.output in names),
        aggregates=tuple(each for each in view.aggregates if each.output in names),
    )
    again = partial(_ask, reader, query, bound, snapshot)
    places = pa.array(rows, pa.int64())
    try:
        table = reader.answer(
            replace(query, views=(part,)), rows_at(bound, places), {view.view: snapshot}
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
