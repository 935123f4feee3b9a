"""Spine rows whose keys a view has no row of: often the keys have another form in the spine."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal as PythonDecimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.definitions.model.functions import FUNCTION_SPECS
from featurestore.definitions.model.types import Decimal, String
from featurestore.engines.arrays import Mask
from featurestore.engines.kernel.keys import encode
from featurestore.engines.retrieval.cost import cost_of, spine_and_answer_bytes
from featurestore.engines.retrieval.scan import Bounds, needed_rows
from featurestore.engines.retrieval.spine_order import SortedSpine, sort_spine
from featurestore.query.nodes import Aggregate, Column, Query, ViewQuery
from featurestore.store.delta.pruning import bound as statistic
from featurestore.store.delta.snapshot import Snapshot

_MOST_STORED_ROWS = 10_000_000
"""The keys of larger tables are not looked up."""

_COPIES_OF_KEYS = 4
_CUT = 32  # Spark cuts the statistics of longer texts


@dataclass(frozen=True)
class AbsentKeys:
    """Spine rows with keys that a view has no row of, at any time.

    Args:
        view: The view's name.
        rows: The number of these spine rows.
        of: The number of spine rows with a time and without a null in their keys.
        key: The key of one of these rows, by the names of the spine's columns.
        stored: The smallest and the greatest stored value of each of these columns, if known.
    """

    view: str
    rows: int
    of: int
    key: Mapping[str, Any]
    stored: Mapping[str, tuple[Any, Any]]

    def __str__(self) -> str:
        """Return the finding, and what to compare.

        Example:
            >>> print(AbsentKeys("load", 3, 4, {"site": 40}, {}))
            3 of 4 rows have a key that is not in view load, such as site=40
        """
        key = ", ".join(f"{name}={_text(value)}" for name, value in self.key.items())
        stored = " and ".join(
            f"{name} is from {_text(low)} to {_text(high)}"
            for name, (low, high) in self.stored.items()
        )
        parts = [
            f"{self.rows:,} of {self.of:,} rows have a key that is not in view {self.view}, "
            f"such as {key}",
            f"Its {stored}" if stored else "",
            *(
                f"Keep leading zeros: read the column as text, in pandas with dtype={{{name!r}: "
                "str}"
                for name in self.key
                if self._lost_zeros(name)
            ),
        ]
        return ". ".join(filter(None, parts))

    def _lost_zeros(self, name: str) -> bool:
        value, stored = self.key[name], self.stored.get(name, ("", ""))
        texts = [each for each in stored if isinstance(each, str) and each.isdigit()]
        is_number = isinstance(value, str) and value.isdigit() and not value.startswith("0")
        return is_number and any(each.startswith("0") and len(each) > 1 for each in texts)


def absent_keys(
    query: Query,
    spine: pa.Table,
    answers: pa.Table,
    snapshots: Mapping[str, Snapshot],
    memory_limit: int | None = None,
) -> dict[str, AbsentKeys]:
    """Return the views that have no row of the keys of more than half of the spine rows.

    A few unknown keys are usual, such as those of new customers. A view is looked at only if more
    than half of the answers of each of its features are empty, and only if that is cheap: its
    table has at most 10,000,000 rows, and the keys fit the memory limit.

    Args:
        query: The query.
        spine: The bound spine.
        answers: The features of its rows.
        snapshots: The pinned tables that were read.
        memory_limit: The most memory to use, in bytes. None for no limit.
    """
    absent: dict[str, AbsentKeys] = {}
    for view in query.views:
        snapshot = snapshots[view.view]
        if not view.keys or not _mostly_empty(view, answers):
            continue
        if snapshot.rows > _MOST_STORED_ROWS:
            continue
        if memory_limit is not None:
            answered = spine_and_answer_bytes(query, spine, snapshots)
            keys = cost_of(view, snapshot).fixed + _COPIES_OF_KEYS * spine.nbytes
            if answered + keys > memory_limit:
                continue
        found = _absent(view, spine, snapshot)
        if found is not None:
            absent.setdefault(view.view, found)
    return absent


def _mostly_empty(view: ViewQuery, answers: pa.Table) -> bool:
    rows = answers.num_rows
    return bool(rows) and all(
        2 * _empty_answers(feature, answers[feature.output]) > rows for feature in view.features
    )


def _empty_answers(feature: Column | Aggregate, answers: pa.ChunkedArray) -> int:
    """Return how many answers are null, or those of a key without rows."""
    nulls: int = answers.null_count
    if not isinstance(feature, Aggregate):
        return nulls
    if pa.types.is_nested(answers.type):  # a list or a map; a null has no items either
        lengths = (np.diff(chunk.offsets.to_numpy()) for chunk in answers.chunks)
        return sum(int(np.count_nonzero(each == 0)) for each in lengths)
    empty = FUNCTION_SPECS[feature.function].empty if feature.empty is None else feature.empty
    if empty is None:
        return nulls
    value = PythonDecimal(str(empty)) if isinstance(feature.result, Decimal) else empty
    equal = pc.sum(pc.equal(answers, pa.scalar(value, answers.type))).as_py()
    return nulls + int(equal or 0)


def _absent(view: ViewQuery, spine: pa.Table, snapshot: Snapshot) -> AbsentKeys | None:
    """Return the spine rows without stored rows of their keys, if they are more than half."""
    complete = sort_spine(view, spine)
    is_stored = _is_stored(view, complete, snapshot)
    rows = int(np.count_nonzero(~is_stored))
    if 2 * rows <= len(is_stored):
        return None
    [example] = complete.rows.slice(int(is_stored.argmin()), 1).to_pylist()
    return AbsentKeys(
        view.view,
        rows,
        len(is_stored),
        {key.spine_column: example[key.spine_column] for key in view.keys},
        dict(_stored_ranges(view, snapshot)),
    )


def _is_stored(view: ViewQuery, spine: SortedSpine, snapshot: Snapshot) -> Mask:
    """Return for each row of a sorted spine whether the view has rows of its keys."""
    is_stored = np.zeros(len(spine.times), np.bool_)
    if not len(is_stored) or spine.first_keys is None:
        return is_stored
    first, texts = view.keys[0].key, tuple(k.key for k in view.keys if k.dtype == String)
    low, high = spine.first_keys[0].as_py(), spine.first_keys[-1].as_py()
    for part in needed_rows(snapshot, Bounds(first, low, high), spine.first_keys, texts):
        columns = {key.key: part.column(key.key) for key in view.keys}
        codes = encode(view.keys, spine.rows, pa.table(columns))
        # The last place is that of the code -1, which no key has.
        has_rows = np.zeros(codes.distinct + 1, np.bool_)
        has_rows[codes.rows] = True
        has_rows[-1] = False
        is_stored |= has_rows[codes.spine]
    return is_stored


def _stored_ranges(view: ViewQuery, snapshot: Snapshot) -> Iterator[tuple[str, tuple[Any, Any]]]:
    for key in view.keys:
        low, high = (statistic(snapshot.files, side, key.key) for side in ("min", "max"))
        if low is None or high is None:
            continue
        ends = pc.min(low).as_py(), pc.max(high).as_py()
        if all(each is not None and len(str(each)) < _CUT for each in ends):
            yield key.spine_column, ends


def _text(value: object) -> str:
    return repr(value) if isinstance(value, str | bool | int) else str(value)
