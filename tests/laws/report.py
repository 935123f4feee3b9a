"""The report of a world with wrong answers: a small failing world, and the engine at fault."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa

from featurestore.engines import reference
from featurestore.engines.kernel import answer_view
from tests.engines.kernel.compare import wrong_cells
from tests.engines.kernel.worlds import World
from tests.engines.stored_world import ask_world, write_world
from tests.laws.shrinking import shrunk

Engine = Callable[[World], pa.Table]


def by_kernel(world: World) -> pa.Table:
    """Answer by the kernel alone, from all rows."""
    return answer_view(world.query, world.spine_table(), world.rows_table())


def in_process(world: World) -> pa.Table:
    """Answer by the engine in process, from a table of two commits."""
    with tempfile.TemporaryDirectory() as folder:
        return ask_world(world, write_world(world, Path(folder) / "table", commits=2))


ENGINES = {"kernel": by_kernel, "engine in process": in_process}


def errors(engine: Engine, world: World) -> list[str]:
    """Return a line for each cell in which an engine differs from the reference."""
    expected = reference.answer(world.query, world.spine, world.rows)
    return wrong_cells(world, expected, engine(world))


def failure_text(world: World, wrong: list[str], engines: Mapping[str, Engine] = ENGINES) -> str:
    """Return the wrong cells, and the smallest world that another engine answers wrongly.

    Args:
        world: The world that Spark answered wrongly.
        wrong: The wrong cells.
        engines: The engines without Spark, in the order in which they are tried.
    """
    for name, engine in engines.items():
        if errors(engine, world):
            small = shrunk(world, lambda each, by=engine: bool(errors(by, each)))
            judgement = f"the {name} is wrong too, in this smallest world"
            return _text(wrong, judgement, small, errors(engine, small))
    return _text(wrong, "without Spark the answers from the same rows are right", world, [])


def _text(wrong: list[str], judgement: str, world: World, smallest: list[str]) -> str:
    lines = [*wrong[:5], f"... {len(wrong)} wrong cells; {judgement}:", str(world.query)]
    lines += [f"row   {row}" for row in world.rows] + [f"spine {row}" for row in world.spine]
    return "\n".join([*lines, *smallest])
