"""Answers from Delta tables, as text: each bit counts, and NaN equals NaN."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from featurestore.engines.bind import bind
from featurestore.engines.retrieval.answer import answer
from featurestore.errors import SumOverflowError
from featurestore.query.nodes import Query, ViewQuery
from featurestore.store.delta.snapshot import Snapshot
from tests.engines.kernel.worlds import World
from tests.engines.stored_world import MANY, ask_world, write_world
from tests.laws.samples import SPINE_TIME, Sample, queries, stored_row, world_of
from tests.laws.shapes import Shape

OVERFLOW = "a sum overflows"
NUMBER = 7
"""The number of the world, if there is only one."""


def answers_from_table(
    world: World, *, commits: int = 1, row_group: int = MANY, rows_per_chunk: int = MANY
) -> list[str] | str:
    """Return the answer's rows, computed in process from a table of the world's rows."""
    with tempfile.TemporaryDirectory() as folder:
        table = write_world(world, Path(folder) / "t", commits=commits, row_group=row_group)
        try:
            table_of_answers = ask_world(world, table, rows_per_chunk)
        except SumOverflowError:
            return OVERFLOW
    return list(map(repr, table_of_answers.to_pylist()))


def stored_world(shape: Shape, sample: Sample) -> World:
    """Return the stored rows of a world, with all columns of the shape."""
    rows = [stored_row(shape.view, NUMBER, row) for row in sample.rows]
    return world_of(queries(shape)[0], NUMBER, [], [row for row in rows if row is not None])


@contextmanager
def tables(worlds: Mapping[Shape, Sample]) -> Iterator[dict[str, Snapshot]]:
    """Yield the table of each shape, with the rows of its world."""
    with tempfile.TemporaryDirectory() as folder:
        yield {
            shape.name: write_world(
                stored_world(shape, sample), Path(folder) / shape.name, commits=2
            )
            for shape, sample in worlds.items()
        }


def answers_of(
    uses: Sequence[ViewQuery], spine: pa.Table, tables: Mapping[str, Snapshot]
) -> dict[str, list[str]]:
    """Return the answers of each feature, as text."""
    query = Query("laws", tuple(uses), SPINE_TIME)
    table = answer(query, bind(query, spine, null_times="keep"), tables)
    return {name: list(map(repr, table[name].to_pylist())) for name in table.column_names}
