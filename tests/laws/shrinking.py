"""Shrinks a failing world, so that a person can read it."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from featurestore.query.nodes import ViewQuery
from tests.engines.kernel.worlds import World

Fails = Callable[[World], bool]


def shrunk(world: World, fails: Fails) -> World:
    """Return a smallest failing part of a world: without any one of its parts, it does not fail.

    Features are removed first, then spine rows, stored rows, and last cells, which become null.
    """
    for simpler in (_fewer_features, _fewer_spine_rows, _fewer_rows, _fewer_cells):
        world = _least(world, simpler, fails)
    return world


def _least(world: World, simpler: Callable[[World], Iterator[World]], fails: Fails) -> World:
    while True:
        smaller = next((each for each in simpler(world) if fails(each)), None)
        if smaller is None:
            return world
        world = smaller


def _fewer_features(world: World) -> Iterator[World]:
    features = world.query.features
    if len(features) > 1:
        for feature in features:
            yield replace(world, query=only(world.query, feature.output))


def _fewer_spine_rows(world: World) -> Iterator[World]:
    for spine in _without_some(world.spine):
        yield replace(world, spine=spine)


def _fewer_rows(world: World) -> Iterator[World]:
    for rows in _without_some(world.rows):
        yield replace(world, rows=rows)


def _without_some(items: list[dict]) -> Iterator[list[dict]]:
    size = len(items)
    while size:
        for first in range(0, len(items), size):
            yield items[:first] + items[first + size :]
        size //= 2


def _fewer_cells(world: World) -> Iterator[World]:
    needed = {key.key for key in world.query.keys} | {"event_timestamp", "_row_hash"}
    for number, row in enumerate(world.rows):
        for name in row.keys() - needed:
            if row[name] is not None:
                rows = [*world.rows]
                rows[number] = row | {name: None}
                yield replace(world, rows=rows)


def only(query: ViewQuery, output: str) -> ViewQuery:
    """Return the query for one of its features."""
    return replace(
        query,
        columns=tuple(each for each in query.columns if each.output == output),
        aggregates=tuple(each for each in query.aggregates if each.output == output),
    )
