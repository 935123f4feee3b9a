"""One batch: its rows, their order, its counts, and that it is stored once."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.types import Field, Float64, Int64
from featurestore.definitions.model.view import FeatureView
from featurestore.engines.spark.session.child import own_session
from featurestore.engines.spark.write.batch import Target, commit_batch, write_batch
from featurestore.errors import ConflictError, MaterializationError
from featurestore.jobs.materialize.reconcile import outcome
from featurestore.store.commit import LOG_PROPERTIES, batch_commits
from featurestore.store.delta.log import table_properties
from featurestore.store.delta.protocol import check_plain
from featurestore.store.delta.snapshot import open_snapshot, open_table
from tests.engines.spark.compiled import compiling
from tests.engines.spark.positions import begun

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CARD = Entity("card", join_keys=(Field("card_id", Int64),))
PAID = DeltaSource(
    "paid",
    path="paid",
    timestamp_field="at",
    available_timestamp_field="seen",
    sequence_field="n",
    deleted_field="gone",
    unique_by=("payment_id",),
)
VIEW = FeatureView(
    "v", entities=(CARD,), source=PAID, schema=(Field("x", Float64),), available_delay="1h"
)

ORDER = [("card_id", "ascending"), ("event_timestamp", "ascending")]


@pytest.fixture(scope="module")
def ours(spark: "SparkSession") -> "SparkSession":
    return compiling(own_session(spark))


@pytest.fixture
def target(tmp_path: Path) -> Target:
    return Target(
        "r1",
        table_id="t1",
        generation=0,
        table=str(tmp_path / "t1"),
        checkpoint=begun(str(tmp_path / "begun"), 2),
        source="source",
        quarantine=str(tmp_path / "quarantine"),
        staging=str(tmp_path / "staging"),
        started_at=NOON,
    )


def payments(spark: "SparkSession", *rows: tuple[object, ...]) -> "DataFrame":
    """Rows of card, time, availability, sequence, deletion, payment and amount."""
    kinds = "card_id int, at timestamp, seen timestamp, n short, gone boolean"
    return spark.createDataFrame([*rows], f"{kinds}, payment_id string, x float")


def test_rows_are_stored_as_declared(ours: "SparkSession", target: Target) -> None:
    late = NOON + timedelta(hours=3)
    rows = payments(
        ours, (1, NOON, late, 5, False, "p1", 1.5), (1, NOON, None, None, True, "p2", None)
    )

    write_batch(VIEW, target, rows, 0)

    stored = pa.table(open_table(target.table).scan())
    table = stored.cast(pa.schema(open_table(target.table).schema().to_arrow()))
    hashes = table["_row_hash"].to_pylist()
    assert table.schema.types[:-1] == [
        pa.int64(),
        pa.timestamp("us", "UTC"),
        pa.timestamp("us", "UTC"),
        pa.int64(),
        pa.bool_(),
        pa.string(),
        pa.float64(),
    ]
    assert sorted(table.drop("_row_hash").to_pylist(), key=lambda row: row["payment_id"]) == [
        {
            "card_id": 1,
            "event_timestamp": NOON,
            "available_timestamp": late + timedelta(hours=1),
            "_seq": 5,
            "_deleted": False,
            "payment_id": "p1",
            "x": 1.5,
        },
        {
            "card_id": 1,
            "event_timestamp": NOON,
            "available_timestamp": None,
            "_seq": None,
            "_deleted": True,
            "payment_id": "p2",
            "x": None,
        },
    ]
    assert len(set(hashes)) == 2
    check_plain(target.table)
    assert table_properties(target.table) == LOG_PROPERTIES


def test_the_row_hash_is_sparks_xxhash64_of_the_stored_columns(
    ours: "SparkSession", target: Target
) -> None:
    write_batch(VIEW, target, payments(ours, (1, NOON, NOON, 5, False, "p1", 1.5)), 0)

    stored = ours.read.format("delta").load(target.table)
    others = [name for name in stored.columns if name != "_row_hash"]
    assert stored.selectExpr(f"xxhash64({','.join(others)}) = _row_hash").collect() == [(True,)]


def test_rows_with_a_null_key_or_time_are_left_out_and_counted(
    ours: "SparkSession", target: Target
) -> None:
    rows = payments(
        ours,
        (None, NOON, None, 1, False, "p1", 1.0),
        (1, None, None, 2, False, "p2", 2.0),
        (1, NOON, None, 3, False, "p3", 3.0),
    )

    write_batch(VIEW, target, rows, 0)

    (commit,) = batch_commits(target.table)
    notes = commit.notes
    assert (notes.rows_in, notes.rows_out, notes.null_rows) == (3, 1, 2)
    assert notes.null_unique_rows == 0
    assert open_snapshot(target.table).rows == 1


def test_rows_with_a_null_in_unique_by_are_stored_and_counted(
    ours: "SparkSession", target: Target
) -> None:
    rows = payments(
        ours,
        (1, NOON, None, 1, False, None, 1.0),
        (2, NOON, None, 2, False, None, 2.0),
        (None, NOON, None, 3, False, None, 3.0),
        (1, NOON, None, 4, False, "p4", 4.0),
    )

    write_batch(VIEW, target, rows, 0)

    (commit,) = batch_commits(target.table)
    assert (commit.notes.rows_out, commit.notes.null_unique_rows) == (3, 2)
    assert outcome([commit]).null_unique_rows == 2


def test_a_batch_that_is_read_again_is_stored_as_one_of_which_a_copy_is_kept(
    ours: "SparkSession", target: Target, tmp_path: Path
) -> None:
    rows = payments(
        ours,
        (None, NOON, None, 1, False, "p1", 1.0),
        (1, NOON, None, 2, False, None, 2.0),
        (2, NOON, NOON, 3, True, "p3", None),
    )
    again = replace(target, table=str(tmp_path / "t2"), reads_again=True)

    for each in (target, again):
        write_batch(VIEW, replace(each, quarantine=f"{each.table}_quarantine"), rows, 0)

    (kept,), (read,) = (batch_commits(each.table) for each in (target, again))
    tables = [pa.table(open_table(each.table).scan()) for each in (target, again)]
    assert read.notes == kept.notes
    assert (read.notes.rows_out, read.notes.rows_quarantined) == (2, 1)
    assert tables[0].equals(tables[1])
    assert open_snapshot(f"{again.table}_quarantine").rows == 1


def test_a_repeated_batch_is_stored_once(ours: "SparkSession", target: Target) -> None:
    rows = payments(ours, (1, NOON, None, 1, False, "p1", 1.0))
    write_batch(VIEW, target, rows, 0)

    write_batch(VIEW, replace(target, run_id="r2"), rows, 0)
    write_batch(VIEW, replace(target, run_id="r3", generation=1), rows, 0)

    assert [commit.notes.run_id for commit in batch_commits(target.table)] == ["r1", "r3"]


def test_a_batch_makes_a_commit_if_it_read_rows_and_none_without_rows(
    ours: "SparkSession", target: Target
) -> None:
    write_batch(VIEW, target, payments(ours), 0)
    nothing = batch_commits(target.table)
    write_batch(VIEW, target, payments(ours, (None, NOON, None, 1, False, "p1", 1.0)), 1)

    (commit,) = batch_commits(target.table)
    assert nothing == ()
    assert (commit.notes.rows_in, commit.notes.rows_out, commit.notes.null_rows) == (1, 0, 1)


def test_files_are_sorted_in_small_row_groups_with_bounds_on_time(
    ours: "SparkSession", target: Target
) -> None:
    view = replace(VIEW, source=DeltaSource("paid", path="paid", timestamp_field="at"))
    rows = ours.range(120_000).selectExpr(
        "pmod(hash(id), 7) card_id", "timestamp_micros(id * 1000003) at", "float(id) x"
    )

    write_batch(view, target, rows, 0)

    (path,) = Path(target.table).glob("*.parquet")
    footer, stored = pq.read_metadata(path), pq.read_table(path)
    groups = [footer.row_group(i) for i in range(footer.num_row_groups)]
    assert [group.num_rows for group in groups] == [50_000, 50_000, 20_000]
    assert groups[0].column(1).physical_type == "INT64"
    assert groups[0].column(1).statistics.has_min_max
    assert stored.equals(stored.sort_by(ORDER))


def test_a_large_batch_makes_several_files_of_distinct_keys_or_times(
    ours: "SparkSession", target: Target
) -> None:
    view = replace(VIEW, source=DeltaSource("paid", path="paid", timestamp_field="at"))
    rows = ours.range(1000).selectExpr(
        "int(id % 5) card_id", "timestamp_micros(id) at", "float(id) x"
    )

    write_batch(view, replace(target, rows_per_file=250), rows, 0)

    parts = sorted(
        (pq.read_table(path) for path in Path(target.table).glob("*.parquet")),
        key=lambda part: (part["card_id"][0].as_py(), part["event_timestamp"][0].as_py()),
    )
    assert len(parts) == 4
    assert pa.concat_tables(parts).equals(pa.concat_tables(parts).sort_by(ORDER))
    (log,) = Path(target.table, "_delta_log").glob("*0.json")
    added = [json.loads(line).get("add") for line in log.read_text("utf-8").splitlines()]
    for file in filter(None, added):
        part, bounds = pq.read_table(Path(target.table, file["path"])), json.loads(file["stats"])
        assert bounds["numRecords"] == part.num_rows
        for side, at in (("minValues", 0), ("maxValues", -1)):
            assert bounds[side]["card_id"] == part["card_id"][at].as_py()
            assert {"event_timestamp", "available_timestamp"} <= bounds[side].keys()


def test_a_batch_that_another_run_committed_is_not_taken_for_this_runs(
    ours: "SparkSession", target: Target
) -> None:
    first, second = (payments(ours, (card, NOON, NOON, 5, False, "p1", 1.5)) for card in (1, 2))
    commit_batch(VIEW, target, first, 0)
    other = replace(target, run_id="r2")

    for rows in (second, second.limit(0)):
        with pytest.raises(ConflictError) as refused:
            commit_batch(VIEW, other, rows, 0)
        assert "run r1" in refused.value.found

    assert [commit.notes.run_id for commit in batch_commits(target.table)] == ["r1"]


def test_a_repeated_batch_of_other_rows_is_refused(
    ours: "SparkSession", target: Target, tmp_path: Path
) -> None:
    rows = payments(ours, (1, NOON, NOON, 5, False, "p1", 1.5))
    target = replace(target, checkpoint=str(tmp_path / "checkpoint"))
    offsets = tmp_path / "checkpoint" / "offsets" / "0"
    offsets.parent.mkdir(parents=True)
    for end in (1, 1, 2):
        offsets.write_text(f'v1\n{{}}\n{{"reservoirVersion":{end}}}', encoding="utf-8")
        if end == 2:
            with pytest.raises(Exception, match="MaterializationError") as sent:  # as it is sent
                write_batch(VIEW, target, rows, 0)
            assert isinstance(sent.value.__cause__, MaterializationError)
        else:
            write_batch(VIEW, target, rows, 0)

    assert len(batch_commits(target.table)) == 1
