"""Generated worlds of all shapes in one store and one spine, so that one job answers all of them.

Each spine row belongs to one world of one shape. The keys of the other shapes are null in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from featurestore.engines import reference
from featurestore.engines.spark.retrieve.task import SliceTask, SpineTimes, TableVersion
from featurestore.query.compile import compile_reference
from featurestore.query.nodes import Query, ViewQuery
from featurestore.store.columns import (
    AVAILABLE_TIME,
    DELETED,
    EVENT_TIME,
    ROW_HASH,
    SEQUENCE,
    UTC_MICROS,
    arrow_type,
    sort_names,
    stored_columns,
)
from featurestore.store.delta.snapshot import Snapshot, open_snapshot
from tests.engines.kernel.compare import wrong_cells
from tests.engines.kernel.worlds import World, content_hash
from tests.laws.report import failure_text
from tests.laws.samples import SPINE_TIME, Sample, stored_row
from tests.laws.shapes import SHAPES, VALUES, Shape

POSITION = "position"
"""The spine's column with the position of each row."""

Row = dict


@dataclass(frozen=True)
class Project:
    """The tables of all shapes, and a spine with the worlds of all of them.

    Args:
        folder: The folder of the tables.
        samples: The worlds of each shape, by its name.
    """

    folder: Path
    samples: dict[str, list[Sample]]

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """The shapes that have worlds."""
        return tuple(shape for shape in SHAPES if shape.name in self.samples)

    @cached_property
    def query(self) -> Query:
        """The uses of all shapes, with the shape's name before each feature."""
        uses = tuple(use for shape in self.shapes for use in uses_of(shape))
        return Query("parity", uses, SPINE_TIME)

    @cached_property
    def stored(self) -> dict[str, list[Row]]:
        """The stored rows of each shape."""
        return {shape.name: [*self._stored(shape)] for shape in self.shapes}

    @cached_property
    def spine(self) -> list[tuple[str, int, Row]]:
        """Each spine row with its shape and the number of its world."""
        return [
            (shape.name, number, row | {"spine_world": number})
            for shape in self.shapes
            for number, sample in enumerate(self.samples[shape.name])
            for row in sample.spine
        ]

    @property
    def task(self) -> SliceTask:
        """What Spark's tasks answer."""
        tables = {shape.name: TableVersion(self.table(shape), 0) for shape in self.shapes}
        return SliceTask(self.query, times=SpineTimes(null_times="keep"), tables=tables)

    @property
    def snapshots(self) -> dict[str, Snapshot]:
        """The pinned table of each shape."""
        return {shape.name: open_snapshot(self.table(shape), 0) for shape in self.shapes}

    def table(self, shape: Shape) -> str:
        """Return the address of a shape's table."""
        return str(self.folder / shape.name)

    def spine_table(self) -> pa.Table:
        """Return the spine, with the column `POSITION`."""
        keys = {key.spine_column: key.dtype for use in self.query.views for key in use.keys}
        types = {name: arrow_type(dtype) for name, dtype in keys.items()}
        rows = [row for _, _, row in self.spine]
        columns = {
            name: pa.array([row.get(name) for row in rows], kind)
            for name, kind in (types | {SPINE_TIME: UTC_MICROS}).items()
        }
        return pa.table(columns | {POSITION: pa.array(range(len(rows)), pa.int64())})

    def write(self) -> None:
        """Write the table of each shape, sorted as materialization does."""
        for shape in self.shapes:
            rows = stored_table(shape, self.stored[shape.name])
            order = [(name, "ascending") for name in sort_names(shape.view)]
            write_deltalake(self.table(shape), rows.sort_by(order))

    def require_right(self, answers: pa.Table) -> None:
        """Fail with a small world if an answer differs from the reference.

        Args:
            answers: The features of each spine row, in the spine's order.
        """
        for shape in self.shapes:
            for world, positions in self.worlds(shape):
                part = answers.take(pa.array(positions))
                expected = reference.answer(world.query, world.spine, world.rows)
                wrong = wrong_cells(world, expected, part)
                if wrong:
                    pytest.fail(failure_text(world, wrong))

    def worlds(self, shape: Shape) -> Iterator[tuple[World, list[int]]]:
        """Yield each world of each use of a shape, with the positions of its spine rows."""
        stored: dict[int, list[Row]] = {}
        for row in self.stored[shape.name]:
            stored.setdefault(row["world"], []).append(row)
        spine: dict[int, list[tuple[int, Row]]] = {}
        for position, (name, number, row) in enumerate(self.spine):
            if name == shape.name:
                spine.setdefault(number, []).append((position, row))
        for number, numbered in spine.items():
            positions, rows = zip(*numbered, strict=True)
            for use in uses_of(shape):
                yield World(use, [*rows], stored.get(number, [])), [*positions]

    def _stored(self, shape: Shape) -> Iterator[Row]:
        for number, sample in enumerate(self.samples[shape.name]):
            for source_row in sample.rows:
                row = stored_row(shape.view, number, source_row)
                if row is not None:
                    yield {ROW_HASH: content_hash(row)} | row


def uses_of(shape: Shape) -> tuple[ViewQuery, ...]:
    """Return the uses of a shape, with its name before each feature."""
    prefixed = (replace(use, prefix=f"{shape.name}_{use.prefix or ''}") for use in shape.uses)
    return tuple(compile_reference(use, SPINE_TIME) for use in prefixed)


def stored_table(shape: Shape, rows: list[Row]) -> pa.Table:
    """Return the stored rows of a shape as Arrow."""
    view = shape.view
    types = dict.fromkeys(view.unique_columns, pa.int64())
    types |= {name: arrow_type(VALUES[name]) for name in view.unique_columns if name in VALUES}
    types |= {key.name: arrow_type(key.dtype) for key in view.join_keys}
    types |= {EVENT_TIME: UTC_MICROS, AVAILABLE_TIME: UTC_MICROS}
    types |= {SEQUENCE: pa.int64(), DELETED: pa.bool_(), ROW_HASH: pa.int64()}
    types |= {field.name: arrow_type(field.dtype) for field in view.schema}
    return pa.table(
        {
            name: pa.array([row.get(name) for row in rows], types[name])
            for name in stored_columns(view)
        }
    )
