"""The ledgers: records are only appended, the last one counts, and processes do not conflict."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from featurestore.errors import TableError
from featurestore.store.delta.log import commits, is_table, last_transaction, latest_version
from featurestore.store.delta.protocol import check_plain
from featurestore.store.delta.snapshot import open_table
from featurestore.store.file_system import read_text
from featurestore.store.layout import Layout
from featurestore.store.ledger.append import append, delete, last_number
from featurestore.store.ledger.files import FileRecord, Files
from featurestore.store.ledger.runs import Outcome, RunRecord, Runs
from featurestore.store.ledger.schemas import RUNS
from featurestore.store.ledger.tables import TableRecord, Tables
from featurestore.store.source_files import list_files, path_of
from tests.tables import feature_table

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
BUILD = TableRecord("v", table_id="t1", fingerprint="f", state="building", at=NOON)
RUN = RunRecord("r1", view="v", table_id="t1", kind="run", status="running", started_at=NOON)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(str(tmp_path / "demo"))


def test_a_build_is_current_once_its_last_record_says_so(layout: Layout) -> None:
    tables = Tables(layout)
    tables.record(BUILD)
    assert (tables.current("v"), tables.building("v")) == (None, replace(BUILD, sequence=1))

    tables.record(replace(BUILD, state="current"))

    assert tables.current("v") == replace(BUILD, state="current", sequence=2)
    assert tables.building("v") is None


def test_the_pointer_moves_in_one_commit(layout: Layout) -> None:
    tables = Tables(layout)
    tables.record(replace(BUILD, state="current"))
    second = replace(BUILD, table_id="t2", start=NOON)
    tables.record(second)
    before = DeltaTable(layout.tables()).version()

    tables.record(replace(second, state="current"), replace(BUILD, state="retired"))

    assert DeltaTable(layout.tables()).version() == before + 1
    current = tables.current("v")
    assert current is not None
    assert (current.table_id, current.start) == ("t2", NOON)
    assert [r.state for r in tables.records()] == ["current", "retired"]


def test_records_of_one_moment_are_ordered_by_sequence(layout: Layout) -> None:
    tables = Tables(layout)
    for state in ("building", "current", "retired"):
        tables.record(replace(BUILD, state=state))

    assert [(r.state, r.sequence) for r in tables.records()] == [("retired", 3)]


def test_of_a_run_the_last_record_counts(layout: Layout) -> None:
    runs = Runs(layout)
    runs.record(RUN, replace(RUN, run_id="r0", view="w", started_at=NOON - timedelta(hours=1)))
    did = Outcome(
        version=3, batches=1, rows_in=5, rows_out=4, null_rows=1, max_event_timestamp=NOON
    )
    done = replace(RUN, status="done", ended_at=NOON, outcome=did)

    runs.record(done)

    assert runs.records("v") == (replace(done, sequence=3),)
    assert [run.run_id for run in runs.records()] == ["r1", "r0"]


def test_counts_that_an_older_ledger_lacks_are_zero(layout: Layout) -> None:
    columns = [field for field in RUNS if field.name != "null_unique_rows"]
    row = {"run_id": "r1", "view": "v", "table_id": "t1", "kind": "build", "status": "done"}
    row |= {"started_at": NOON, "rows_in": 5, "rows_out": 4, "batches": 1, "null_rows": 0}
    write_deltalake(layout.runs(), pa.Table.from_pylist([row], pa.schema(columns)))

    (run,) = Runs(layout).records()

    assert (run.outcome.rows_in, run.outcome.null_unique_rows) == (5, 0)
    assert (run.ended_at, run.outcome.version, run.outcome.error) == (None, None, None)


def test_files_are_recorded_by_build(layout: Layout) -> None:
    files = Files(layout)
    read = FileRecord("v", table_id="t1", path="/d/a", size=3, modified_at=9, run_id="r1")

    files.record([read, replace(read, table_id="t2")])
    files.record([])

    assert files.records("t1") == (read,)
    assert DeltaTable(layout.files()).version() == 1


def test_views_that_run_side_by_side_lose_no_record(layout: Layout) -> None:
    def record(number: int) -> None:
        Runs(layout).record(replace(RUN, run_id=f"r{number}"))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(record, range(16)))

    assert len(Runs(layout).records()) == 16


def test_a_table_has_commits_and_a_version(tmp_path: Path) -> None:
    table = feature_table({"id": [1]}, [0], {"x": [1.0]})
    write_deltalake(tmp_path / "t", table)
    write_deltalake(tmp_path / "t", table, mode="append")

    newer = commits(str(tmp_path / "t"), after=0)

    assert [(commit.version, dict(commit.notes)) for commit in newer] == [(1, {})]
    assert commits(str(tmp_path / "t"), after=1) == ()
    assert latest_version(str(tmp_path / "t")) == 1
    assert last_transaction(str(tmp_path / "t"), "t1/0") is None


def test_a_table_that_needs_a_newer_protocol_is_refused(tmp_path: Path) -> None:
    table = feature_table({"id": [1]}, [0], {"x": [1.0]})
    fed = {"delta.enableChangeDataFeed": "true"}
    write_deltalake(tmp_path / "plain", table)
    write_deltalake(tmp_path / "fed", table, configuration=fed)

    check_plain(str(tmp_path / "plain"))

    with pytest.raises(TableError) as caught:
        check_plain(str(tmp_path / "fed"))
    assert caught.value.call == f"check table {tmp_path / 'fed'}"
    assert "writer 4" in caught.value.found
    assert "--full" in caught.value.fix


def test_data_files_are_listed_without_hidden_files(tmp_path: Path) -> None:
    (tmp_path / "_delta_log").mkdir()
    for name in ("b.csv", "a.csv", "_SUCCESS", ".hidden", "_delta_log/0.json"):
        (tmp_path / name).write_text("12345", encoding="utf-8")

    files = list_files(str(tmp_path))

    assert [(Path(file.path).name, file.size) for file in files] == [("a.csv", 5), ("b.csv", 5)]
    assert files[0].modified_at == (tmp_path / "a.csv").stat().st_mtime_ns // 1000
    assert list_files(str(tmp_path / "a.csv")) == files[:1]
    assert read_text(str(tmp_path / "a.csv")) == "12345"
    assert path_of((tmp_path / "a b.csv").as_uri()) == str(tmp_path / "a b.csv")


def test_runs_are_in_the_order_of_their_records_whatever_the_clock_says(layout: Layout) -> None:
    runs = Runs(layout)
    runs.record(replace(RUN, status="done"))
    runs.record(replace(RUN, run_id="r0", started_at=NOON - timedelta(days=365)))
    runs.record(replace(RUN, run_id="r0", status="failed", started_at=NOON - timedelta(days=365)))
    runs.record(replace(RUN, run_id="r9", view="w"))

    assert [(run.run_id, run.status, run.sequence) for run in runs.records("v")] == [
        ("r1", "done", 1),
        ("r0", "failed", 3),
    ]


def test_records_of_an_older_release_come_first_in_the_order_of_their_times(
    layout: Layout,
) -> None:
    older = pa.schema([field for field in RUNS if field.name != "sequence"])
    row = {"view": "v", "table_id": "t1", "kind": "run", "status": "done"}
    rows = [row | {"run_id": name, "started_at": NOON} for name in ("b", "a")]
    write_deltalake(layout.runs(), pa.Table.from_pylist(rows, schema=older))

    Runs(layout).record(replace(RUN, started_at=NOON - timedelta(days=1)))

    assert [run.run_id for run in Runs(layout).records()] == ["a", "b", "r1"]


@pytest.mark.slow
def test_a_ledger_of_many_runs_has_few_files(layout: Layout) -> None:
    runs = Runs(layout)
    for number in range(70):
        runs.record(replace(RUN, run_id=f"r{number:02}", status="done"))

    assert len(DeltaTable(layout.runs()).file_uris()) <= 31
    assert [run.run_id for run in runs.records()] == [f"r{number:02}" for number in range(70)]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("view", None),
        ("table_id", None),
        ("state", None),
        ("sequence", None),
        ("at", pa.scalar(2**61).cast(pa.timestamp("us", "UTC"))),
        ("start", pa.scalar(-(2**61)).cast(pa.timestamp("us", "UTC"))),
    ],
)
def test_a_damaged_record_is_an_error_that_names_the_ledger(
    layout: Layout, column: str, value: pa.Scalar | None
) -> None:
    Tables(layout).record(BUILD)
    rows = DeltaTable(layout.tables()).to_pyarrow_table()
    field = rows.schema.field(column)
    changed = pa.array([value], field.type) if value is None else pa.array([value])
    rows = rows.set_column(rows.schema.get_field_index(column), field, changed)
    write_deltalake(layout.tables(), rows, mode="overwrite")

    with pytest.raises(TableError) as caught:
        Tables(layout).records()

    assert caught.value.call == f"read table {layout.tables()}"
    assert "restore" in caught.value.fix


def test_a_damaged_record_of_a_run_is_an_error_too(layout: Layout) -> None:
    Runs(layout).record(RUN)
    rows = DeltaTable(layout.runs()).to_pyarrow_table()
    number = rows.schema.get_field_index("status")
    rows = rows.set_column(number, rows.schema.field("status"), pa.nulls(1, pa.string()))
    write_deltalake(layout.runs(), rows, mode="overwrite")

    with pytest.raises(TableError):
        Runs(layout).records()


def test_a_newest_commit_that_is_empty_is_an_error_whose_way_out_works(layout: Layout) -> None:
    Tables(layout).record(BUILD)
    Tables(layout).record(replace(BUILD, state="current"))
    newest = Path(layout.tables(), "_delta_log", f"{2:020}.json")
    newest.write_bytes(b"")

    with pytest.raises(TableError) as caught:
        Tables(layout).records()

    assert str(newest) in caught.value.found
    assert "remove it" in caught.value.fix
    newest.unlink()
    assert [each.state for each in Tables(layout).records()] == ["building"]


def test_the_last_number_of_a_ledger_of_an_older_release_is_0(tmp_path: Path) -> None:
    uri = str(tmp_path / "runs")
    append(uri, pa.schema([("run_id", pa.string())]), [{"run_id": "r1"}])

    assert last_number(open_table(uri), "sequence") == 0


@pytest.mark.parametrize("name", ["00000000000000000000.json", f"{7:020}.checkpoint.parquet"])
def test_a_folder_with_a_commit_or_a_checkpoint_is_a_table(tmp_path: Path, name: str) -> None:
    log = tmp_path / "_delta_log"
    log.mkdir()
    (log / "_last_checkpoint").write_text("{}")
    (log / ".tmp.json").write_text("{}")
    before = is_table(str(tmp_path))
    (log / name).write_text("{}")

    assert (before, is_table(str(tmp_path)), is_table(f"file://{tmp_path}")) == (False, True, True)
    assert not is_table(str(log / name))


def test_a_run_that_begins_during_a_clean_up_keeps_its_record(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Runs(layout)
    ledger.record(RUN)
    ledger.record(replace(RUN, status="done", ended_at=NOON))
    begun = replace(RUN, run_id="r2", view="w", started_at=NOON + timedelta(days=30))

    def delete_late(uri: str, condition: str) -> None:
        ledger.record(begun)
        delete(uri, condition)

    monkeypatch.setattr("featurestore.store.ledger.runs.delete", delete_late)

    assert ledger.clean(NOON + timedelta(days=20)) == 1
    assert [(run.run_id, run.status) for run in ledger.records()] == [
        ("r1", "done"),
        ("r2", "running"),
    ]
