"""The engine in process gives the oracle's answers, whatever files and chunks the rows lie in."""

import tempfile
from pathlib import Path

import pyarrow as pa
from deltalake import WriterProperties, write_deltalake
from hypothesis import given, settings
from hypothesis import strategies as st

from featurestore.engines.bind import bind
from featurestore.engines.local import answer
from featurestore.errors import FeatureStoreError
from featurestore.query.nodes import Query
from featurestore.store.snapshot import Snapshot, open_snapshot
from tests import oracle
from tests.engines.kernel.worlds import World, worlds
from tests.oracle import agree, bound_of


@given(worlds(), st.integers(1, 3), st.sampled_from([1, 3, 1000]))
@settings(max_examples=60)
def test_answers_equal_the_oracle_however_rows_are_split(
    world: World, runs: int, rows_per_chunk: int
) -> None:
    try:
        expected = oracle.answer(world.query, world.spine, world.rows)
    except oracle.IntegerOverflowError:
        expected = None
    with tempfile.TemporaryDirectory() as folder:
        snapshot = write(world, Path(folder) / "table", runs)
        query = Query("ask", (world.query,), world.query.timestamp_field)
        try:
            found = run(query, world, snapshot, rows_per_chunk)
        except FeatureStoreError:
            assert expected is None
            return

    assert expected is not None
    for feature in world.query.features:
        cells = found[feature.output].to_pylist()
        for asked, want, got in zip(world.spine, expected[feature.output], cells, strict=True):
            assert agree(want, got, bound_of(world.query, feature, asked, world.rows))


def run(query: Query, world: World, snapshot: Snapshot, rows_per_chunk: int) -> pa.Table:
    spine = bind(query, world.spine_table(), null_times="keep")
    views = {world.query.view: snapshot}
    return answer(query, spine, views, rows_per_chunk=rows_per_chunk)


def write(world: World, folder: Path, runs: int) -> Snapshot:
    """Write the rows that Spark would keep as sorted commits with tiny row groups."""
    names = [key.key for key in world.query.keys]
    rows = world.rows_table()
    for name in (*names, "event_timestamp"):
        rows = rows.filter(rows[name].is_valid())
    order = [(name, "ascending") for name in (*names, "event_timestamp")]
    size = max(1, -(-rows.num_rows // runs))
    for start in range(0, max(1, rows.num_rows), size):
        write_deltalake(
            str(folder),
            rows.slice(start, size).sort_by(order),
            mode="append",
            writer_properties=WriterProperties(max_row_group_size=2),
        )
    return open_snapshot(str(folder))
