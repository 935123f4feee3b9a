"""The reference cells of spine rows, computed from the stored rows of their keys alone."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from featurestore.client.verify.leakage import Cause, causes_of, past_value
from featurestore.client.verify.values import same_value, value_or_overflow
from featurestore.engines.explain.stored_rows import Key, rows_of_keys
from featurestore.engines.reference.agreement import error_bound
from featurestore.engines.reference.features import is_answerable
from featurestore.engines.reference.rows import Row, Rows, spine_key, valid_rows
from featurestore.query.nodes import ViewQuery
from featurestore.store.delta.snapshot import Snapshot

MOST_ROWS = 100_000
"""A key with more stored rows than this is not checked: its rows would fill the memory."""

MOST_STEPS = 50_000_000
"""At most this many steps for one view, some 30 s. A step is one stored row for one cell."""


@dataclass(frozen=True)
class Cells:
    """The reference values of one spine row.

    Args:
        values: The value of each feature.
        bounds: How far the engine's value of each feature may be off.
        past_values: The value of each feature from the rows before the moment alone. Empty if
            leakage is not checked.
        causes: For each feature whose past value differs, the causes.
    """

    values: Mapping[str, Any]
    bounds: Mapping[str, float]
    past_values: Mapping[str, Any] = field(default_factory=dict)
    causes: Mapping[str, tuple[Cause, ...]] = field(default_factory=dict)


def recompute(
    view: ViewQuery, snapshot: Snapshot, spine_rows: Sequence[Row], *, leakage: bool
) -> dict[int, Cells]:
    """Return the reference cells of spine rows, by the positions of these rows.

    Rows whose keys have more stored rows than `MOST_ROWS` or `MOST_STEPS` allows are missing.

    Args:
        view: The use of the view.
        snapshot: The view's pinned table.
        spine_rows: Spine rows, with bound keys and with times in UTC microseconds.
        leakage: Whether to compute the past values too.
    """
    positions: dict[Key, list[int]] = defaultdict(list)
    for position, row in enumerate(spine_rows):
        positions[spine_key(view, row)].append(position)
    cells, steps, keys = {}, MOST_STEPS, len(positions)
    for key, rows in rows_of_keys(view, snapshot, positions, most=MOST_ROWS):
        steps_per_row = len(rows or ()) * (1 + len(view.features)) + 1
        # Each key that is still to come may take an equal part of the steps that are left.
        allowed = 0 if rows is None else steps // keys // steps_per_row
        for position in positions[key][:allowed]:
            cells[position] = _cells(view, spine_rows[position], rows or (), leakage)
        steps -= steps_per_row * min(allowed, len(positions[key]))
        keys -= 1
    return dict(sorted(cells.items()))


def _cells(view: ViewQuery, spine_row: Row, rows: Rows, leakage: bool) -> Cells:
    valid = valid_rows(view, spine_row, rows) if is_answerable(view, spine_row) else []
    values = {n.output: value_or_overflow(view, n, spine_row, valid) for n in view.features}
    bounds = {n.output: error_bound(view, n, spine_row, valid) for n in view.features}
    if not leakage:
        return Cells(values, bounds)
    past_values = {n.output: past_value(view, n, spine_row, rows) for n in view.features}
    causes = {
        each.output: causes_of(view, each, spine_row, rows)
        for each in view.features
        if not same_value(values[each.output], past_values[each.output])
    }
    return Cells(values, bounds, past_values, causes)
