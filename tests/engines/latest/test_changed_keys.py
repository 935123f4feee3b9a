"""A refresh of changed keys leaves the table that a refresh of all keys would write."""

import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.engines import reference
from featurestore.query.nodes import ViewQuery
from featurestore.times import to_micros
from tests.effort import examples
from tests.engines.kernel.compare import wrong_cells
from tests.engines.kernel.worlds import World, rows_table, worlds
from tests.engines.latest.latest_table import LatestTable

STEPS = st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=2, max_size=5)
"""For each refresh: how many moments have gone by at which an answer may change, and whether the
files are joined before."""
FIRST, LAST = (to_micros(datetime(year, 1, 1, tzinfo=UTC)) for year in (1, 9999))
STORES = 2
"""The number of first steps that also store rows."""


def own_keys(query: ViewQuery) -> ViewQuery:
    """Return the query with the spine's columns named like the keys, as of one moment."""
    keys = tuple(replace(key, spine_column=key.key) for key in query.keys)
    return replace(query, keys=keys, strict=False, timestamp_field="event_timestamp")


@pytest.mark.hypothesis
@examples(8)
@given(world=worlds(aggregates=False).filter(lambda world: world.query.keys), steps=STEPS)
def test_a_refresh_of_changed_keys_equals_a_refresh_of_all_keys_and_the_reference(
    world: World, steps: list[tuple[int, bool]]
) -> None:
    query, rows = own_keys(world.query), stored(world)
    turns, at = turning_points(query, rows), 0
    half = len(rows) // STORES
    with tempfile.TemporaryDirectory() as folder:
        table = LatestTable(Path(folder), query)
        for number, (jump, joins) in enumerate(steps):
            at = min(at + jump, len(turns) - 1)
            before, known = rows[: half * min(number, 1)], rows[:half] if number == 0 else rows
            before = rows if number >= STORES else before
            if number < STORES:
                table.store(rows_table(query, known[len(before) :]))
            if joins:
                table.compact()

            done = table.refresh(turns[at])

            assert (done.reason == "") == bool(before)
            assert values(table.rows()) == values(table.whole(turns[at]))
            require_reference(query, known, turns[at], table)


def turning_points(query: ViewQuery, rows: list[dict]) -> list[int]:
    """Return the moments, and those just before, at which a row becomes visible or too old."""
    delay, ttl = query.rows.available_delay, query.ttl or 0
    times = [row["event_timestamp"] for row in rows]
    turns = {row["available_timestamp"] for row in rows} - {None}
    turns |= {time + shift for time in times for shift in (0, delay, ttl, ttl + 1)}
    turns |= {turn - 1 for turn in turns}
    return sorted(turn for turn in turns if FIRST <= turn <= LAST) or [0]


def stored(world: World) -> list[dict]:
    names = [*(key.key for key in world.query.keys), "event_timestamp"]
    return [row for row in world.rows if all(row[name] is not None for name in names)]


def values(rows: pa.Table) -> list[str]:
    return sorted(repr(row) for row in rows.drop(["as_of"]).to_pylist())


def require_reference(query: ViewQuery, rows: list[dict], moment: int, table: LatestTable) -> None:
    """Fail unless the table has the reference's answer for each key that has a stored row."""
    latest, names = table.rows(), [key.key for key in query.keys]
    spine = [row | {query.timestamp_field: moment} for row in latest.select(names).to_pylist()]
    stored_keys = {repr([row[name] for name in names]) for row in rows}
    assert sorted(repr([row[name] for name in names]) for row in spine) == sorted(stored_keys)
    world = World(query, spine, rows)
    assert wrong_cells(world, reference.answer(query, spine, rows), latest) == []
