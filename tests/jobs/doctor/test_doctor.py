"""The doctor finds each kind of damage by its code, and repairs what can be repaired."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.engines.latest.freshness import latest_notes
from featurestore.engines.spark.source.checkpoint_owner import OWNER_FILE, record_owner
from featurestore.jobs.continuous.state import continuous_lock, new_state, write_state
from featurestore.jobs.doctor.doctor import REPAIRS, examine, without_consequences
from featurestore.jobs.doctor.finding import Finding
from featurestore.jobs.materialize.evidence import gather
from featurestore.jobs.materialize.lock import view_lock
from featurestore.jobs.materialize.upstream import upstream_of
from featurestore.store.ledger.runs import Outcome, Runs
from featurestore.store.ledger.tables import Tables
from tests.jobs.world import NOON, SPENDING, Store, age, stored_rows


@pytest.fixture
def built(shop: Store) -> Store:
    """Three runs, of one row each."""
    shop.build()
    for hour, card in enumerate("abc"):
        shop.run(stored_rows(card, hour=hour))
    return shop


def codes(shop: Store, *, repair: bool = False) -> list[str]:
    return [finding.code for finding in examine(shop.job, repair=repair)]


def commit(shop: Store, version: int) -> Path:
    return Path(shop.uri(), "_delta_log", f"{version:020}.json")


def test_a_whole_store_has_no_findings(built: Store) -> None:
    DeltaTable(built.uri()).optimize.compact()

    assert examine(built.job) == []


def test_a_derived_view_is_not_blamed_for_the_damage_of_its_upstream_view() -> None:
    derived = replace(SPENDING, name="derived", source=SPENDING)
    damage = Finding("D102", "spending", found="empty", fix="Repair.", repairable=True)
    unreadable = Finding("D100", "derived", found="spending cannot be read", fix="Rebuild.")
    other = replace(unreadable, table="other")

    found = without_consequences([unreadable, other, damage], [SPENDING, derived])

    assert found == [other, damage]
    assert without_consequences([unreadable], [SPENDING, derived]) == [unreadable]


def empty(shop: Store) -> None:
    commit(shop, 2).write_bytes(b"")


def cut(shop: Store) -> None:
    commit(shop, 2).write_bytes(commit(shop, 2).read_bytes()[:100])


def lose(shop: Store) -> None:
    commit(shop, 2).unlink()
    commit(shop, 2).with_suffix(".crc").write_text("{}")  # Spark's checksums, which stay


def empty_two(shop: Store) -> None:
    commit(shop, 1).write_bytes(b"")
    commit(shop, 2).write_bytes(b"")


@pytest.mark.parametrize(
    ("damage", "code", "left"),
    [(empty, "D102", 2), (cut, "D102", 2), (lose, "D101", 2), (empty_two, "D102", 1)],
)
def test_a_damaged_newest_commit_is_set_aside_and_its_rows_are_read_again(
    built: Store, damage: Callable[[Store], None], code: str, left: int
) -> None:
    damage(built)

    found = examine(built.job, repair=True)

    assert found[0].code == code
    assert found[0].is_repaired
    assert {each.code for each in examine(built.job)} == {"D401"}  # the next run goes on
    evidence = state(built)
    assert (evidence.table_damage, evidence.resumes_at) == (None, left)
    assert DeltaTable(built.uri()).version() == left - 1
    lost = [run for run in Runs(built.layout).records() if run.status == "failed"]
    assert [run.outcome.version for run in lost] == [None] * (3 - left)
    assert Path(built.uri(), "_damaged").is_dir()


def test_a_commit_set_aside_before_one_that_stays_is_named_with_its_checkpoint(
    built: Store,
) -> None:
    DeltaTable(built.uri(), version=1).create_checkpoint()
    empty_two(built)

    (found, *_) = examine(built.job, repair=True)

    assert found.is_repaired
    assert (commit(built, 1).exists(), commit(built, 2).exists()) == (True, False)
    assert not Path(built.layout.checkpoint("t1", 0)).exists()


def state(shop: Store):
    (record,) = Tables(shop.layout).records()
    runs = Runs(shop.layout).records()
    upstream = upstream_of(SPENDING, shop.layout)
    return gather(shop.layout, record, runs, upstream.source, upstream.uri)


def test_a_damaged_commit_before_others_is_named_and_left(built: Store) -> None:
    commit(built, 1).write_bytes(b"")

    found = examine(built.job, repair=True)

    assert found[0].code == "D102"
    assert not found[0].repairable
    assert "--full" in found[0].fix
    assert commit(built, 1).exists()


def cut_checkpoint(shop: Store) -> None:
    (path,) = Path(shop.uri(), "_delta_log").glob("*.checkpoint.parquet")
    path.write_bytes(path.read_bytes()[:50])


def empty_pointer(shop: Store) -> None:
    Path(shop.uri(), "_delta_log", "_last_checkpoint").write_bytes(b"")


def checkpoint_without_metadata(shop: Store) -> None:
    (path,) = Path(shop.uri(), "_delta_log").glob("*.checkpoint.parquet")
    rows = pq.read_table(path)
    pq.write_table(rows.filter(rows["metaData"].is_null()), path)


@pytest.mark.parametrize("damage", [cut_checkpoint, empty_pointer, checkpoint_without_metadata])
def test_a_damaged_checkpoint_is_written_again(
    built: Store, damage: Callable[[Store], None]
) -> None:
    DeltaTable(built.uri()).create_checkpoint()
    damage(built)

    (found,) = (each for each in examine(built.job, repair=True) if each.code == "D103")

    assert found.is_repaired
    assert examine(built.job) == []
    assert DeltaTable(built.uri()).version() == 2


def test_a_checkpoint_whose_commits_are_gone_is_named_and_left(built: Store) -> None:
    DeltaTable(built.uri()).create_checkpoint()
    cut_checkpoint(built)
    commit(built, 0).unlink()

    (found,) = (each for each in examine(built.job, repair=True) if each.code == "D103")

    assert (found.repairable, found.repair) == (False, "")


def test_another_protocol_is_named(built: Store) -> None:
    DeltaTable(built.uri()).alter.set_table_properties({"delta.enableChangeDataFeed": "true"})

    assert "D104" in codes(built)


def lose_table(shop: Store) -> None:
    shutil.rmtree(shop.uri())


def lose_file(shop: Store) -> None:
    Path(DeltaTable(shop.uri()).file_uris()[0].removeprefix("file://")).unlink()


def cut_file(shop: Store) -> None:
    path = Path(DeltaTable(shop.uri()).file_uris()[0].removeprefix("file://"))
    path.write_bytes(path.read_bytes()[:-1])


def flip_bit(shop: Store) -> None:
    """Write a file as Spark does, with checksums of its pages, and flip a bit of a value."""
    path = Path(DeltaTable(shop.uri()).file_uris()[0].removeprefix("file://"))
    before = path.stat().st_size
    pq.write_table(pq.read_table(path), path, write_page_checksum=True, use_dictionary=False)
    for log in Path(shop.uri(), "_delta_log").glob("*.json"):
        text = log.read_text()
        if path.name in text:
            log.write_text(text.replace(f'"size":{before}', f'"size":{path.stat().st_size}'))
    chunk = pq.ParquetFile(path).metadata.row_group(0).column(0)
    content = bytearray(path.read_bytes())
    content[chunk.data_page_offset + chunk.total_compressed_size - 1] ^= 1
    path.write_bytes(content)


def leave_orphan(shop: Store) -> None:
    Path(shop.uri(), "part-00000-killed.parquet").write_bytes(b"x")
    age(shop.uri(), days=8)


def leave_build(shop: Store) -> None:
    shutil.copytree(shop.uri(), shop.uri("t9"))


def commit_by_another(shop: Store) -> None:
    write_deltalake(shop.uri(), stored_rows("z"), mode="append")


def restore_older(shop: Store) -> None:
    commit(shop, 2).unlink()


def repeat_transaction(shop: Store) -> None:
    properties = CommitProperties(app_transactions=[Transaction("t1/0", 50)])
    empty_rows = stored_rows("z").slice(0, 0)
    write_deltalake(shop.uri(), empty_rows, mode="append", commit_properties=properties)


def forget_transactions(shop: Store) -> None:
    name = "delta.setTransactionRetentionDuration"
    DeltaTable(shop.uri()).alter.set_table_properties({name: "interval 7 days"})


def lose_stream(shop: Store) -> None:
    shutil.rmtree(shop.layout.checkpoint("t1", 0))


def lose_stream_to_another(shop: Store) -> None:
    record_owner(shop.layout.checkpoint("t9", 0), "other")
    own = Path(shop.layout.checkpoint("t1", 0), OWNER_FILE)
    Path(shop.layout.checkpoint("t9", 0), OWNER_FILE).rename(own)


def replace_source(shop: Store) -> None:
    shutil.rmtree(shop.folder / "payments")
    shop.pay(stored_rows("a"))


def want_latest(shop: Store) -> None:
    shop.views = (replace(SPENDING, latest=True),)


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lose_table, "D100"),
        (lose_file, "D201"),
        (cut_file, "D201"),
        (flip_bit, "D204"),
        (leave_orphan, "D202"),
        (leave_build, "D203"),
        (commit_by_another, "D301"),
        (restore_older, "D301"),
        (repeat_transaction, "D304"),
        (forget_transactions, "D305"),
        (lose_stream, "D401"),
        (lose_stream_to_another, "D401"),
        (replace_source, "D402"),
        (want_latest, "D501"),
    ],
)
def test_each_damage_without_a_repair_is_named_by_its_code(
    built: Store, damage: Callable[[Store], None], code: str
) -> None:
    damage(built)

    found = {each.code: each for each in examine(built.job, repair=True)}

    assert code in found
    assert not found[code].repairable
    assert found[code].fix
    assert found[code].table == "spending"


def write_latest(shop: Store) -> None:
    (view,) = shop.views
    notes = latest_notes(shop.layout, view, "t1") | {"as_of": NOON.isoformat()}
    properties = CommitProperties(custom_metadata={"userMetadata": json.dumps(notes)})
    rows = stored_rows("a")
    write_deltalake(shop.layout.latest(view.name), rows, commit_properties=properties)


def test_a_latest_table_of_an_earlier_definition_is_not_called_old(built: Store) -> None:
    want_latest(built)
    [missing] = examine(built.job)
    write_latest(built)
    assert examine(built.job) == []

    windows = (Aggregation("amount", "sum", windows=("1d",)),)
    built.views = (replace(built.views[0], aggregations=windows),)
    [changed] = examine(built.job)
    built.run(stored_rows("d", hour=9))
    [old] = examine(built.job)

    assert {each.code for each in (missing, changed, old)} == {"D501"}
    found = [each.found for each in (missing, changed, old)]
    assert ["older" in each for each in found] == [False, False, True]
    assert ["earlier definition" in each for each in found] == [False, True, False]
    assert all("--latest" in each.fix for each in (missing, changed, old))


def kill(shop: Store) -> None:
    (*_, last) = Runs(shop.layout).records()
    killed = replace(last, run_id="killed", status="running", ended_at=None, outcome=Outcome())
    Runs(shop.layout).record(killed)


def lose_records(shop: Store) -> None:
    shutil.rmtree(shop.layout.runs())


@pytest.mark.parametrize("damage", [kill, lose_records])
def test_an_incomplete_ledger_is_completed_from_the_commits(
    built: Store, damage: Callable[[Store], None]
) -> None:
    damage(built)

    found = examine(built.job, repair=True)

    assert {each.code for each in found} == {"D302"}
    assert all(each.is_repaired for each in found)
    assert examine(built.job) == []
    assert all(run.status != "running" for run in Runs(built.layout).records())


def test_a_run_that_is_active_is_no_problem(built: Store) -> None:
    kill(built)

    with view_lock(built.layout, "spending", "r", NOON):
        assert examine(built.job) == []


def test_a_repair_waits_for_no_run_and_loses_no_finding(built: Store) -> None:
    empty(built)
    cut_ledger(built)

    with view_lock(built.layout, "spending", "r", NOON):
        found = {each.table: each for each in examine(built.job, repair=True)}

    assert found["ledger of runs"].is_repaired
    assert (found["spending"].code, found["spending"].is_repaired) == ("D102", False)
    assert "pid" in found["spending"].fix
    assert commit(built, 2).exists()


def test_a_repair_that_fails_loses_no_finding(built: Store) -> None:
    empty(built)
    Path(built.uri(), "_damaged").write_text("no folder", "utf-8")

    (found, *_) = examine(built.job, repair=True)

    assert (found.code, found.is_repaired) == ("D102", False)
    assert "_damaged" in found.fix


def cut_ledger(shop: Store) -> None:
    max(Path(shop.layout.runs(), "_delta_log").glob("*.json")).write_bytes(b"")


def test_a_record_that_differs_from_its_commits_is_corrected(built: Store) -> None:
    (*_, last) = Runs(built.layout).records()
    wrong = replace(last, outcome=replace(last.outcome, rows_out=7, source_offset=None))
    Runs(built.layout).record(wrong)

    (found,) = examine(built.job, repair=True)

    (*_, corrected) = Runs(built.layout).records()
    assert (found.code, found.is_repaired) == ("D303", True)
    assert (corrected.outcome.rows_out, corrected.outcome.source_offset) == (
        1,
        last.outcome.source_offset,
    )
    assert examine(built.job) == []


def test_a_damaged_ledger_is_set_aside_and_the_runs_are_recorded_again(built: Store) -> None:
    log = Path(built.layout.runs(), "_delta_log")
    max(log.glob("*.json")).write_bytes(b"")

    first = examine(built.job, repair=True)

    assert first[0].code == "D102"
    assert first[0].table == "ledger of runs"
    assert first[0].is_repaired
    assert [run.status for run in Runs(built.layout).records()] == ["done"] * 3
    assert examine(built.job) == []


def test_looking_changes_nothing(built: Store) -> None:
    empty(built)
    files = {path: path.read_bytes() for path in built.folder.rglob("*") if path.is_file()}

    examine(built.job)

    after = {path: path.read_bytes() for path in built.folder.rglob("*") if path.is_file()}
    assert {path: content for path, content in after.items() if "locks" not in path.parts} == {
        path: content for path, content in files.items() if "locks" not in path.parts
    }


def test_the_page_lists_each_code() -> None:
    root = Path(__file__).parents[3]
    page = (root / "docs" / "repair.md").read_text("utf-8")
    modules = (root / "featurestore" / "jobs" / "doctor").glob("*.py")
    text = "".join(module.read_text("utf-8") for module in modules)
    listed = {f"D{number}" for number in range(100, 600) if f'"D{number}"' in text}

    assert set(REPAIRS) < listed
    assert {code for code in listed if f"| {code} |" not in page} == set()


def test_findings_are_json(built: Store) -> None:
    empty(built)

    (first, *_) = examine(built.job)

    assert json.loads(json.dumps(first.__dict__))["code"] == "D102"


def test_a_latest_table_that_a_continuous_process_writes_now_and_then_is_not_called_old(
    built: Store,
) -> None:
    want_latest(built)
    write_latest(built)
    built.run(stored_rows("d", hour=9))

    with continuous_lock(built.layout, "spending"):
        write_state(built.layout, new_state("spending", NOON, trigger_seconds=5.0))
        during = examine(built.job)
    after = examine(built.job)

    assert (during, [each.code for each in after]) == ([], ["D501"])
