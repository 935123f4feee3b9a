"""A failing world is shrunk and still fails."""

from dataclasses import replace

from featurestore.definitions.model.types import Float64, Int64
from featurestore.query.nodes import Column, KeyBinding, ViewQuery
from tests.engines.kernel.worlds import World
from tests.laws.shrinking import shrunk

QUERY = ViewQuery(
    "view",
    keys=(KeyBinding("id", "card", Int64),),
    timestamp_field="at",
    columns=(Column("x", "x", Float64), Column("y", "y", Float64)),
)
ROWS = [
    {"id": n % 2, "event_timestamp": n, "available_timestamp": n, "x": 1.0, "y": n / 2}
    for n in range(9)
]
SPINE = [{"card": n % 2, "at": n} for n in range(7)]
WORLD = World(QUERY, SPINE, ROWS)


def test_only_the_parts_that_the_failure_needs_stay() -> None:
    def fails(world: World) -> bool:
        late = any(row["at"] == 5 for row in world.spine)
        values = {row["y"] for row in world.rows}
        return late and {1.0, 3.5} <= values and "y" in world.query.outputs

    small = shrunk(WORLD, fails)

    assert small == World(
        replace(QUERY, columns=QUERY.columns[1:]),
        [{"card": 1, "at": 5}],
        [ROWS[2] | {"x": None, "available_timestamp": None},
         ROWS[7] | {"x": None, "available_timestamp": None}],
    )  # fmt: skip


def test_a_world_that_always_fails_becomes_empty() -> None:
    small = shrunk(WORLD, lambda world: True)

    assert (small.spine, small.rows, len(small.query.outputs)) == ([], [], 1)
