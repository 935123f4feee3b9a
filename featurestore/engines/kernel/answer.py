"""The features of one use of one view for a spine: the kernel's entry point."""

from dataclasses import dataclass
from decimal import Decimal as PythonDecimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from featurestore.definitions.model.types import Decimal
from featurestore.engines.arrays import (
    Ints,
    Mask,
    both,
    earlier,
    moments,
    taken,
    validity,
    whole,
)
from featurestore.engines.kernel.asof import winners
from featurestore.engines.kernel.column import Column, lay_out
from featurestore.engines.kernel.functions.by_category import Categories, categorized, maps_of
from featurestore.engines.kernel.functions.overflow import overflow_context
from featurestore.engines.kernel.functions.table import AGGREGATORS
from featurestore.engines.kernel.gather import Gather
from featurestore.engines.kernel.keys import encode
from featurestore.engines.kernel.order import Moments, sort_moments
from featurestore.engines.kernel.slices import Slices
from featurestore.engines.kernel.validity import Events, load_events
from featurestore.engines.kernel.windows import Frames
from featurestore.query.nodes import Aggregate, ViewQuery, Window
from featurestore.store.columns import arrow_type


def answer_view(query: ViewQuery, spine: pa.Table, rows: pa.Table) -> pa.Table:
    """Return the features of one use of one view: a row for each spine row, in the spine's order.

    Args:
        query: The use of the view.
        spine: The spine, with the query's key and time columns. Times are timestamps, or integers
            of microseconds. A null key or time gives null features.
        rows: The stored columns that the query needs, with the rows in any order.

    Raises:
        SpineError: A key column of the spine has another type than the key.
        SumOverflowError: A sum does not fit its type.

    Example:
        >>> from featurestore.definitions.model.types import Float64, Int64
        >>> from featurestore.query.nodes import Column, KeyBinding
        >>> query = ViewQuery("risk", keys=(KeyBinding("id", "card", Int64),),
        ...                   timestamp_field="at", columns=(Column("score", "score", Float64),))
        >>> rows = pa.table({"id": [1, 1], "event_timestamp": [10, 20], "score": [0.5, 0.7],
        ...                  "available_timestamp": [10, 20], "_row_hash": [1, 2]})
        >>> answer_view(query, pa.table({"card": [1, 1, 2], "at": [15, 20, 20]}), rows)["score"]
        <pyarrow.lib.ChunkedArray object at ...>
        [
          [
            0.5,
            0.7,
            null
          ]
        ]
    """
    answers: dict[str, pa.Array] = {}
    if query.columns:
        answers |= _column_answers(query, spine, rows)
    if query.aggregates:
        answers |= _aggregate_answers(query, spine, rows)
    return pa.table({name: answers[name] for name in query.outputs})


@dataclass(frozen=True)
class _World:
    """The spine's moments and the stored rows with their keys."""

    moments: Moments
    events: Events


def _load(query: ViewQuery, spine: pa.Table, rows: pa.Table, *, tombstones: bool) -> _World:
    codes = encode(query.keys, spine, rows)
    column = whole(spine[query.timestamp_field])
    answerable = both(validity(column), codes.spine >= 0)
    selected = None if answerable is None or answerable.all() else np.flatnonzero(answerable)
    spine_moments = sort_moments(codes.spine, moments(column), selected, codes.distinct)
    return _World(spine_moments, load_events(codes.rows, rows, query.rows, tombstones=tombstones))


def _winners(query: ViewQuery, world: _World) -> Ints:
    delay = query.rows.available_delay
    return winners(world.events, world.moments, delay=delay, strict=query.strict)


def _in_rows(events: Events, winning: Ints, spine_moments: Moments) -> Ints:
    """Return the winners as positions in the stored rows, in the spine's order; -1 for none."""
    if events.source is not None:
        winning = np.append(events.source, -1)[winning]
    answer = np.full(spine_moments.spine_rows, -1)
    answer[spine_moments.position] = winning
    return answer


def _column_answers(query: ViewQuery, spine: pa.Table, rows: pa.Table) -> dict[str, pa.Array]:
    world = _load(query, spine, rows, tombstones=True)
    winning = _winners(query, world)
    if len(world.events):
        winning = np.where(_expired_or_deleted(query, world, winning), -1, winning)
    gather = Gather(_in_rows(world.events, winning, world.moments))
    return {
        feature.output: gather.of(rows[feature.column]).cast(arrow_type(feature.dtype))
        for feature in query.columns
    }


def _expired_or_deleted(query: ViewQuery, world: _World, winning: Ints) -> Mask:
    """Return which winners do not answer: older than the ttl, or tombstones."""
    mask = np.zeros(len(winning), np.bool_)
    if query.ttl is not None:
        mask |= earlier(world.moments.time, query.ttl) > world.events.time[winning]
    if world.events.deleted is not None:
        mask |= world.events.deleted[winning]
    return mask


def _aggregate_answers(query: ViewQuery, spine: pa.Table, rows: pa.Table) -> dict[str, pa.Array]:
    world = _load(query, spine, rows, tombstones=False)
    frames = Frames(world.events, world.moments, query.rows.available_delay)
    columns = {
        name: lay_out(rows, name, world.events, frames.corrections)
        for name in dict.fromkeys((*_star(query), *query.value_columns))
    }
    by_category: dict[tuple[str, str | None], Categories] = {
        (feature.column, feature.by): categorized(columns[feature.column], columns[feature.by])
        for feature in query.aggregates
        if feature.by is not None
    }
    windows = tuple(dict.fromkeys(feature.window for feature in query.aggregates))
    pieces: dict[str, list[pa.Array]] = {feature.output: [] for feature in query.aggregates}
    for part in frames.parts(windows):
        for window in windows:
            slices = frames.slices(window, part)
            for feature in _of_window(query, window):
                inputs = columns[feature.column], by_category.get((feature.column, feature.by))
                with overflow_context(query, feature, spine, world.moments.position[part]):
                    pieces[feature.output].append(_aggregate(feature, *inputs, slices))
    order = _moment_of_spine_rows(world.moments)
    return {
        feature.output: _in_spine_order(_joined(pieces[feature.output], feature), order)
        for feature in query.aggregates
    }


def _of_window(query: ViewQuery, window: Window) -> list[Aggregate]:
    return [feature for feature in query.aggregates if feature.window == window]


def _star(query: ViewQuery) -> list[str]:
    """Return ``"*"`` if a feature counts rows."""
    return ["*"] if any(feature.column == "*" for feature in query.aggregates) else []


def _aggregate(
    feature: Aggregate, column: Column, categories: Categories | None, slices: Slices
) -> pa.Array:
    compute = AGGREGATORS[feature.function]
    if categories is not None:
        return maps_of(feature, compute, categories, slices)
    answer = compute(feature, column, slices)
    if feature.empty is None:
        return answer
    return pc.if_else(pa.array(column.absent(slices).mask), _empty(feature), answer)


def _empty(feature: Aggregate) -> pa.Scalar:
    """Return the value that the definition gives for windows without values."""
    empty = feature.empty
    if isinstance(feature.result, Decimal):
        return pa.scalar(PythonDecimal(str(empty)), arrow_type(feature.result))
    return pa.scalar(empty).cast(arrow_type(feature.result))


def _in_spine_order(answers: pa.Array, order: Ints | None) -> pa.Array:
    return answers if order is None else taken(answers, order)


def _joined(pieces: list[pa.Array], feature: Aggregate) -> pa.Array:
    if len(pieces) == 1:
        return pieces[0]
    return pa.chunked_array(pieces, arrow_type(feature.result)).combine_chunks()


def _moment_of_spine_rows(spine_moments: Moments) -> Ints | None:
    """Return the moment of each spine row, -1 for none; None if the moments are the spine rows."""
    position = spine_moments.position
    every_row = len(position) == spine_moments.spine_rows
    if every_row and (position[1:] > position[:-1]).all():
        return None
    moment = np.full(spine_moments.spine_rows, -1)
    moment[position] = np.arange(len(position))
    return moment
