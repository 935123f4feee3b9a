"""Views with nothing new are recorded without a session; all others are left to a run."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from deltalake import DeltaTable

from featurestore.definitions.model.source import FileSource
from featurestore.engines.spark.source.file_log import FileLog
from featurestore.jobs.materialize.job import RunResult
from featurestore.jobs.materialize.progress import ProgressEvent
from featurestore.jobs.materialize.start import materialize
from featurestore.store.fault_points import VARIABLE
from featurestore.store.ledger.files import FileRecord, Files
from featurestore.store.ledger.runs import Runs
from featurestore.store.ledger.tables import Tables
from featurestore.store.source_files import FilePath
from tests.jobs.world import DERIVED, SPENDING, SparkNeededError, Store, stored_rows


@pytest.fixture
def built(shop: Store) -> Store:
    """A view that has read all of its source."""
    shop.build()
    shop.run(stored_rows("a", "b"))
    return shop


def statuses(shop: Store) -> list[str]:
    return [result.status for result in materialize(shop.job)]


def test_nothing_new_is_recorded_without_a_session(built: Store) -> None:
    events: list[ProgressEvent] = []

    (result,) = materialize(built.job, progress=events.append)

    (*_, last) = Runs(built.layout).records("spending")
    assert (result.status, result.kind, result.version, result.rows_in) == ("nothing", "run", 0, 0)
    assert (last.run_id, last.status, last.table_id) == (result.run_id, "nothing", "t1")
    assert last.ended_at is not None
    assert [event.phase for event in events] == ["nothing"]


def test_an_error_of_the_callers_progress_takes_no_result(
    built: Store, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(event: ProgressEvent) -> None:
        raise ValueError(event.phase)

    (result,) = materialize(built.job, progress=broken)

    assert result.status == "nothing"
    [logged] = caplog.records
    assert logged.exc_info is not None
    assert repr(logged.exc_info[1]) == "ValueError('nothing')"


@pytest.mark.parametrize("action", ["raise", "enospc"])
def test_a_lock_that_cannot_be_released_takes_no_result(
    built: Store, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    monkeypatch.setenv(VARIABLE, f"spending/lock.released={action}")

    assert statuses(built) == ["nothing"]


def compact_source(shop: Store) -> None:
    for _ in range(3):
        shop.run(stored_rows("a"))
    DeltaTable(shop.folder / "payments").optimize.compact()


def vacuum_source(shop: Store) -> None:
    DeltaTable(shop.folder / "payments").vacuum(0, dry_run=False, enforce_retention_duration=False)


def compact_own_table(shop: Store) -> None:
    shop.run(stored_rows("c"))
    DeltaTable(shop.uri()).optimize.compact()


def nothing_before(shop: Store) -> None:
    assert statuses(shop) == ["nothing"]


@pytest.mark.parametrize(
    "change", [compact_source, vacuum_source, compact_own_table, nothing_before]
)
def test_commits_that_change_no_row_are_nothing_new(
    built: Store, change: Callable[[Store], None]
) -> None:
    change(built)

    assert statuses(built) == ["nothing"]


def add_row(shop: Store) -> None:
    shop.pay(stored_rows("c"))


def delete_row(shop: Store) -> None:
    DeltaTable(shop.folder / "payments").delete("card_id = 'a'")


def change_property(shop: Store) -> None:
    DeltaTable(shop.folder / "payments").alter.set_table_properties({"delta.appendOnly": "true"})


def remove_source(shop: Store) -> None:
    shutil.rmtree(shop.folder / "payments")


def replace_source(shop: Store) -> None:
    remove_source(shop)
    shop.pay(stored_rows("a", "b"))


def lose_newest_commit_of_source(shop: Store) -> None:
    """A loss of power leaves it empty, and readers take it for none."""
    add_row(shop)
    max(Path(shop.folder, "payments", "_delta_log").glob("*.json")).write_bytes(b"")


def begin_a_batch(shop: Store) -> None:
    offsets = Path(shop.layout.checkpoint("t1", 0), "offsets")
    shutil.copy(offsets / "0", offsets / "1")


def lose_checkpoint(shop: Store) -> None:
    shutil.rmtree(shop.layout.checkpoint("t1", 0))


def damage_table(shop: Store) -> None:
    Path(shop.uri(), "_delta_log", f"{0:020}.json").write_bytes(b"")


def begin_a_build(shop: Store) -> None:
    shop.build("t2", "building")


def retire(shop: Store) -> None:
    (record,) = Tables(shop.layout).records()
    Tables(shop.layout).record(replace(record, state="retired"))


def change_definition(shop: Store) -> None:
    (record,) = Tables(shop.layout).records()
    Tables(shop.layout).record(replace(record, fingerprint="other"))


def leave_a_run_running(shop: Store) -> None:
    (*_, last) = Runs(shop.layout).records()
    Runs(shop.layout).record(replace(last, run_id="killed", status="running", ended_at=None))


def lose_ledger(shop: Store) -> None:
    shutil.rmtree(shop.layout.runs())


def want_latest(shop: Store) -> None:
    shop.views = (replace(SPENDING, latest=True),)


@pytest.mark.parametrize(
    "change",
    [
        add_row,
        delete_row,
        change_property,
        remove_source,
        replace_source,
        lose_newest_commit_of_source,
        begin_a_batch,
        lose_checkpoint,
        damage_table,
        begin_a_build,
        retire,
        change_definition,
        leave_a_run_running,
        lose_ledger,
        want_latest,
    ],
)
def test_whatever_else_is_left_to_a_run(built: Store, change: Callable[[Store], None]) -> None:
    change(built)
    records = Runs(built.layout).records()

    with pytest.raises(SparkNeededError):
        materialize(built.job)

    assert Runs(built.layout).records() == records


@pytest.mark.parametrize("options", [{"full": True}, {"start": datetime(2026, 1, 1, tzinfo=UTC)}])
def test_a_request_is_left_to_a_run(built: Store, options: dict[str, object]) -> None:
    with pytest.raises(SparkNeededError):
        materialize(built.job, **options)  # type: ignore[arg-type]  # passed through


def test_views_with_nothing_new_are_recorded_beside_one_that_needs_a_session(
    built: Store,
) -> None:
    built.views = (SPENDING, replace(SPENDING, name="unbuilt"))

    with pytest.raises(SparkNeededError):
        materialize(built.job)

    assert Runs(built.layout).records("spending")[-1].status == "nothing"


@pytest.fixture
def derived(built: Store) -> Store:
    built.views = (DERIVED, SPENDING)
    built.build("d1", view=DERIVED, upstream="t1")
    built.run(stored_rows("a", "b"), "d1", "copied", pays=False)
    table = DeltaTable(built.uri())
    offset = {
        "reservoirId": table.metadata().id,
        "reservoirVersion": table.version() + 1,
        "index": -1,
        "isStartingVersion": False,
    }
    notes = Path(built.uri("d1", "copied"), "_delta_log", f"{0:020}.json")
    lines = [json.loads(line) for line in notes.read_text("utf-8").splitlines()]
    for line in lines:
        if "commitInfo" in line:
            metadata = json.loads(line["commitInfo"]["userMetadata"])
            metadata |= {"source_offset": json.dumps(offset), "source_commit": None}
            line["commitInfo"]["userMetadata"] = json.dumps(metadata)
    notes.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    text = f"v1\n{{}}\n{json.dumps(offset)}"
    Path(built.layout.checkpoint("d1", 0), "offsets", "0").write_text(text)
    return built


def test_a_derived_view_has_nothing_new_if_its_upstream_view_has_not(derived: Store) -> None:
    results = {result.view: result for result in materialize(derived.job)}

    assert [results[name].status for name in ("copied", "spending")] == ["nothing", "nothing"]
    assert "'spending'" in results["copied"].message


def test_a_derived_view_waits_for_an_upstream_view_that_has_new_rows(derived: Store) -> None:
    derived.pay(stored_rows("c"))

    with pytest.raises(SparkNeededError):
        materialize(derived.job)

    assert Runs(derived.layout).records("copied")[-1].status == "done"


FILES = replace(
    SPENDING,
    source=FileSource("files", path="files", format="csv", timestamp_field="at"),
)


@pytest.fixture
def of_files(shop: Store) -> Store:
    """A view that has read one file."""
    shop.views = (FILES,)
    (shop.folder / "files").mkdir()
    (shop.folder / "files" / "1.csv").write_text("card_id,at,amount\n")
    shop.build(view=FILES)
    shop.run(stored_rows("a"))
    checkpoint = shop.layout.checkpoint("t1", 0)
    shutil.rmtree(checkpoint)
    path = FilePath(str(shop.folder / "files"))
    log = FileLog(checkpoint, "r")
    [batch] = log.new_batches(path)
    log.begin(batch)
    log.end(batch, 1)
    (file,) = path.files
    modified = file.modified_at // 1000
    Files(shop.layout).record(
        [
            FileRecord(
                "spending",
                table_id="t1",
                path=file.name,
                size=file.size,
                modified_at=modified,
                run_id="r",
            )
        ]
    )
    return shop


def test_files_that_were_all_read_are_nothing_new(of_files: Store) -> None:
    assert statuses(of_files) == ["nothing"]


def add_file(folder: Path) -> None:
    (folder / "2.csv").write_text("card_id,at,amount\n")


def change_file(folder: Path) -> None:
    (folder / "1.csv").write_text("card_id,at,amount\nx,2026-01-01T00:00:00Z,1\n")
    os.utime(folder / "1.csv", (1, 1))


def remove_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def become_a_table(folder: Path) -> None:
    (folder / "_delta_log").mkdir()


@pytest.mark.parametrize("change", [add_file, change_file, remove_folder, become_a_table])
def test_other_files_are_left_to_a_run(of_files: Store, change: Callable[[Path], None]) -> None:
    change(of_files.folder / "files")

    with pytest.raises(SparkNeededError):
        materialize(of_files.job)


def test_twenty_views_take_one_commit_of_the_ledger(shop: Store) -> None:
    shop.views = tuple(replace(SPENDING, name=f"view_{at}") for at in range(20))
    shop.pay(stored_rows("a"))
    for view in shop.views:
        shop.build(f"t-{view.name}", view=view)
        shop.run(stored_rows("a"), f"t-{view.name}", view.name, pays=False)
    before = DeltaTable(shop.layout.runs()).version()

    results: list[RunResult] = materialize(shop.job)

    assert {result.status for result in results} == {"nothing"}
    operations = [entry["operation"] for entry in DeltaTable(shop.layout.runs()).history()]
    assert operations[: DeltaTable(shop.layout.runs()).version() - before].count("WRITE") == 1
