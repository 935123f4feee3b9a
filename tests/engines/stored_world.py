"""A world's rows as a feature table, and the answers of the engine in process."""

from pathlib import Path

import pyarrow as pa
from deltalake import WriterProperties, write_deltalake

from featurestore.engines.bind import bind
from featurestore.engines.retrieval.answer import answer
from featurestore.query.nodes import Query
from featurestore.store.delta.snapshot import Snapshot, open_snapshot
from tests.engines.kernel.worlds import World

MANY = 1000
"""More rows of a chunk, or of a row group, than any world has."""


def write_world(world: World, folder: Path, *, commits: int = 1, row_group: int = 2) -> Snapshot:
    """Write the rows that Spark would store, each commit sorted, in tiny row groups."""
    names = [key.key for key in world.query.keys]
    rows = world.rows_table()
    for name in (*names, "event_timestamp"):
        rows = rows.filter(rows[name].is_valid())
    order = [(name, "ascending") for name in (*names, "event_timestamp")]
    size = max(1, -(-rows.num_rows // commits))
    for start in range(0, max(1, rows.num_rows), size):
        write_deltalake(
            str(folder),
            rows.slice(start, size).sort_by(order),
            mode="append",
            writer_properties=WriterProperties(max_row_group_size=row_group),
        )
    return open_snapshot(str(folder))


def ask_world(world: World, snapshot: Snapshot, rows_per_chunk: int = MANY) -> pa.Table:
    """Return the answers of a world's spine, from its table."""
    query = Query("call", (world.query,), world.query.timestamp_field)
    spine = bind(query, world.spine_table(), null_times="keep")
    return answer(query, spine, {world.query.view: snapshot}, rows_per_chunk=rows_per_chunk)
