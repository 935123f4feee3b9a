"""Answers from real Delta tables, as text that tells every bit and lets NaN equal NaN."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from featurestore.engines.bind import bind
from featurestore.engines.retrieval.answer import answer
from featurestore.errors import FeatureStoreError
from featurestore.query.nodes import Query, ViewQuery
from featurestore.store.delta.snapshot import Snapshot
from tests.engines.kernel.worlds import World
from tests.engines.stored_world import MANY, ask_world, write_world
from tests.laws.samples import ASKED, Sample, queries, stored_row, world_of
from tests.laws.shapes import Shape

OVERFLOW = "a sum overflows"
NUMBER = 7
"""The world's number, where there is one world only."""


def answered(
    world: World, *, commits: int = 1, row_group: int = MANY, rows_per_chunk: int = MANY
) -> list[str] | str:
    """Return the answer's rows, by the engine in process from a table of the world's rows."""
    with tempfile.TemporaryDirectory() as folder:
        table = write_world(world, Path(folder) / "t", commits=commits, row_group=row_group)
        try:
            found = ask_world(world, table, rows_per_chunk)
        except FeatureStoreError:
            return OVERFLOW
    return list(map(repr, found.to_pylist()))


def stored_world(shape: Shape, sample: Sample) -> World:
    """Return what is stored of a world, with all of the shape's columns."""
    rows = [stored_row(shape.view, NUMBER, row) for row in sample.rows]
    return world_of(queries(shape)[0], NUMBER, [], [row for row in rows if row is not None])


@contextmanager
def tables(worlds: Mapping[Shape, Sample]) -> Iterator[dict[str, Snapshot]]:
    """Give the table of each shape, with the rows of its world."""
    with tempfile.TemporaryDirectory() as folder:
        yield {
            shape.name: write_world(
                stored_world(shape, sample), Path(folder) / shape.name, commits=2
            )
            for shape, sample in worlds.items()
        }


def ask(
    asked: Sequence[ViewQuery], spine: pa.Table, tables: Mapping[str, Snapshot]
) -> dict[str, list[str]]:
    """Return the answers by feature."""
    query = Query("ask", tuple(asked), ASKED)
    found = answer(query, bind(query, spine, null_times="keep"), tables)
    return {name: list(map(repr, found[name].to_pylist())) for name in found.column_names}
