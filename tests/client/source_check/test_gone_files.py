"""A plan names the files that a table was made of and that its new build cannot read."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from deltalake import CommitProperties, write_deltalake

import featurestore as fs
from featurestore.definitions.code.fingerprint import table_fingerprint
from featurestore.engines.spark.source.file_log import FileLog
from featurestore.engines.spark.source.offsets import seen_files
from featurestore.store.commit import CommitNotes
from featurestore.store.ledger.files import FileRecord, Files
from featurestore.store.ledger.runs import Outcome, RunRecord, Runs
from featurestore.store.ledger.tables import TableRecord, Tables
from featurestore.store.source_files import FilePath
from tests.tables import feature_table, write_runs

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
DEFINITIONS = """
import featurestore as fs

user = fs.Entity("user", join_keys=(fs.Field("id", fs.Int64),))
source = fs.FileSource(
    "source", path="data", format="csv", timestamp_field="at",
    schema=(fs.Field("id", fs.Int64), fs.Field("at", fs.Timestamp), fs.Field("x", fs.Int64)),
)
view = fs.FeatureView("view", entities=(user,), source=source, schema=(fs.Field("x", fs.Int64),))
"""
CHANGED = DEFINITIONS.replace("source=source", 'available_delay="1h", source=source')
FILES = {"a.csv": "r1", "b.csv": "r1", "c.csv": "r2"}
ROWS = {"r1": 5, "r2": 7}


@pytest.fixture
def store(tmp_path: Path) -> fs.FeatureStore:
    """A project whose view was built from two files, and then got the rows of a third."""
    (tmp_path / "featurestore.toml").write_text('project = "t"\n')
    (tmp_path / "feature_defs").mkdir()
    (tmp_path / "feature_defs" / "d.py").write_text(DEFINITIONS)
    (tmp_path / "data").mkdir()
    for name in FILES:
        (tmp_path / "data" / name).write_text("id,at,x\n1,2026-01-01T00:00:00Z,1\n")
    store = fs.FeatureStore(tmp_path)
    store.apply(store.plan())
    record(store, "t1", "current")
    Files(store.layout).record(
        FileRecord("view", table_id="t1", path=name, size=1, modified_at=1, run_id=run)
        for name, run in FILES.items()
    )
    for run, rows in ROWS.items():
        done = RunRecord(
            run,
            view="view",
            table_id="t1",
            kind="run",
            status="done",
            started_at=NOW,
            outcome=Outcome(rows_out=rows),
        )
        Runs(store.layout).record(done)
    return store


def record(store: fs.FeatureStore, table_id: str, state: str) -> None:
    fingerprint = table_fingerprint(store.load().view("view"))
    made = TableRecord("view", table_id=table_id, fingerprint=fingerprint, state=state, at=NOW)
    Tables(store.layout).record(made)


def change(store: fs.FeatureStore, *gone: str) -> list[str]:
    """Change the definition and remove files; return what the plan says of them."""
    folder = store.settings.folder
    (folder / "feature_defs" / "d.py").write_text(CHANGED)
    for name in gone:
        (folder / "data" / name).unlink()
    return [each.message for each in store.plan().source_issues]


def test_nothing_is_said_while_all_files_are_there(store: fs.FeatureStore) -> None:
    assert change(store) == []


@pytest.mark.parametrize(
    ("gone", "counts"),
    [
        (("a.csv",), ("1 of the 3 files", "at most 5 rows")),
        (("a.csv", "b.csv"), ("2 of the 3 files", "gave 5 rows")),
        (("a.csv", "c.csv"), ("2 of the 3 files", "at most 12 rows")),
    ],
)
def test_gone_files_are_counted_with_the_rows_that_they_gave(
    store: fs.FeatureStore, gone: tuple[str, ...], counts: tuple[str, str]
) -> None:
    [message] = change(store, *gone)

    assert all(count in message for count in counts)
    assert message.startswith("view 'view'")
    assert message in str(store.plan())


def test_a_renamed_file_is_not_gone_until_it_is_removed(store: fs.FeatureStore) -> None:
    data = store.settings.folder / "data"
    log = FileLog(store.layout.checkpoint("t1", 0), "r1")
    for batch in log.new_batches(FilePath(str(data))):
        log.begin(batch)
        log.end(batch, rows=1)

    (data / "a.csv").rename(data / "z.csv")
    renamed = change(store)
    list(log.new_batches(FilePath(str(data))))
    [recorded] = [each for each in seen_files(log.checkpoint) if each.path == "z.csv"]
    removed = change(store, "z.csv")

    assert recorded.renamed_from == "a.csv"
    assert renamed == []
    assert "1 of the 3 files" in removed[0]
    assert "z.csv" in removed[0]
    assert "at most 5 rows" in removed[0]


def test_after_a_repair_the_copied_rows_count_too(store: fs.FeatureStore) -> None:
    record(store, "t1", "retired")
    record(store, "t2", "current")
    Files(store.layout).record(
        FileRecord("view", table_id="t2", path=name, size=1, modified_at=1, run_id="repair")
        for name in FILES
    )
    repaired = RunRecord(
        "repair",
        view="view",
        table_id="t2",
        kind="repair",
        status="done",
        started_at=NOW,
        outcome=Outcome(rows_out=3),
    )
    Runs(store.layout).record(repaired)
    notes = CommitNotes(
        "repair",
        view="view",
        table_id="t2",
        generation=0,
        batch_id=1,
        source_offset=None,
        rows_in=12,
        rows_out=12,
        null_rows=0,
        rows_copied=9,
        max_event_timestamp=None,
        started_at=NOW,
    )
    properties = CommitProperties(custom_metadata={"userMetadata": notes.to_json()})
    rows = feature_table({"id": [1]}, [1], {})
    write_deltalake(store.layout.features("view", "t2"), rows, commit_properties=properties)

    [message] = change(store, "a.csv")

    assert "at most 12 rows" in message


def test_nothing_is_said_if_nothing_is_built(store: fs.FeatureStore) -> None:
    (store.settings.folder / "data" / "a.csv").unlink()

    assert store.plan().source_issues == ()


def test_nothing_is_said_of_a_definition_whose_earlier_table_is_taken_up(
    store: fs.FeatureStore,
) -> None:
    change(store)
    record(store, "t0", "retired")
    write_runs(Path(store.layout.features("view", "t0")), [feature_table({"id": [1]}, [1], {})])

    assert change(store, "a.csv") == []


@pytest.mark.parametrize("is_rebuilt", [False, True])
def test_a_change_that_is_taken_back_takes_up_the_earlier_table(
    store: fs.FeatureStore, is_rebuilt: bool
) -> None:
    write_runs(Path(store.layout.features("view", "t1")), [feature_table({"id": [1]}, [1], {})])
    change(store)
    changed = store.plan()
    store.apply(changed)
    if is_rebuilt:
        [present] = Tables(store.layout).records()
        Tables(store.layout).record(replace(present, state="retired"))
        record(store, "t2", "current")
    (store.settings.folder / "feature_defs" / "d.py").write_text(DEFINITIONS)

    plan = store.plan()

    assert (changed.builds, changed.taken_up) == (("view",), ())
    assert (plan.builds, plan.taken_up) == (("view",), ("view",))
    assert "takes up its earlier table" in str(plan)
    assert "Tables to build" in str(changed)
    assert "Tables to build" not in str(plan)
    shutil.rmtree(store.layout.features("view", "t1"))
    assert store.plan().taken_up == ()
