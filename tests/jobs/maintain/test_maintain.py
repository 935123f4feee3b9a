"""Maintenance leaves the same answers in fewer files, and all that a reader or a run needs."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from featurestore.errors import ConflictError, RequestError, StorageError, TableError
from featurestore.jobs.doctor.doctor import examine
from featurestore.jobs.maintain.maintain import Maintenance, maintain
from featurestore.jobs.materialize.lock import view_lock
from featurestore.store.commit import LOG_PROPERTIES, batch_commits
from featurestore.store.delta.commit_files import newest_checkpoint
from featurestore.store.delta.log import last_transaction
from featurestore.store.delta.snapshot import open_snapshot
from featurestore.store.integrity import table_damage
from featurestore.store.ledger.runs import Runs
from featurestore.store.ledger.tables import Tables
from tests.jobs.world import DERIVED, NOON, SPENDING, Store, age, stored_rows


def by_table(results: list[Maintenance]) -> dict[str, Maintenance]:
    return {result.table: result for result in results}


def amounts(uri: str, version: int | None = None) -> list[tuple[str, float]]:
    rows = pa.table(DeltaTable(uri, version=version).scan()).to_pylist()
    return sorted((row["card_id"], row["amount"]) for row in rows)


def ten_runs(shop: Store) -> None:
    shop.build()
    for hour in range(10):
        shop.run(stored_rows(f"card-{hour}", "a", hour=hour))


def test_small_files_are_joined_and_the_old_ones_removed_after_their_retention(
    shop: Store,
) -> None:
    ten_runs(shop)
    before = amounts(shop.uri())

    first = by_table(maintain(shop.job))["spending"]
    age(shop.uri(), days=8)
    second = by_table(maintain(shop.job))["spending"]

    assert (first.files_before, first.files_after, first.files_removed) == (10, 1, 0)
    assert (second.files_before, second.files_after, second.files_removed) == (1, 1, 10)
    assert second.bytes_removed > 0
    assert len(list(Path(shop.uri()).glob("*.parquet"))) == 1
    assert amounts(shop.uri()) == before
    assert table_damage(shop.uri(), Runs(shop.layout).records("spending")) is None


def test_files_of_a_killed_run_are_removed_after_the_retention(shop: Store) -> None:
    ten_runs(shop)
    orphan = Path(shop.uri(), "part-00000-killed.parquet")
    orphan.write_bytes(b"x")
    maintain(shop.job)
    recent = orphan.exists()

    age(shop.uri(), days=8)
    maintain(shop.job)

    assert (recent, orphan.exists()) == (True, False)


def test_a_dry_run_says_what_would_be_done_and_changes_nothing(shop: Store) -> None:
    ten_runs(shop)
    shop.build("t0", "retired")
    shop.now += timedelta(days=8)
    files = sorted(path for path in shop.folder.rglob("*") if path.is_file())

    foreseen = maintain(shop.job, dry_run=True)
    unchanged = sorted(path for path in shop.folder.rglob("*") if path.is_file())
    done = maintain(shop.job)

    assert unchanged == files
    assert by_table(foreseen)["spending"] == by_table(done)["spending"]
    assert by_table(done)["spending"].builds_removed == ("t0",)


def test_a_checkpoint_is_written_where_the_log_has_grown(shop: Store) -> None:
    shop.build()
    for hour in range(8):
        shop.run(stored_rows("a", hour=hour))
    maintain(shop.job)
    few = newest_checkpoint(shop.uri())
    for hour in range(8, 11):
        shop.run(stored_rows("a", hour=hour))

    maintain(shop.job)

    assert few == -1
    newest = newest_checkpoint(shop.uri())
    assert newest >= 10
    # Spark must know the newest batch also where only the checkpoint is left.
    for version in range(newest + 1):
        Path(shop.uri(), "_delta_log", f"{version:020}.json").unlink()
    assert last_transaction(shop.uri(), "t1/0") == 10
    assert len(amounts(shop.uri())) == 11


@pytest.mark.parametrize("properties", [{}, LOG_PROPERTIES], ids=["of old", "of now"])
def test_the_notes_of_old_runs_stay_where_delta_would_remove_their_commits(
    shop: Store, properties: dict[str, str | None]
) -> None:
    shop.properties = properties
    ten_runs(shop)
    for hour in range(10, 22):  # a checkpoint of the first maintenance, and one of the second
        shop.run(stored_rows("a", hour=hour))
        if hour in (10, 21):
            moment = (datetime.now(UTC) - timedelta(days=40)).timestamp()
            for path in Path(shop.uri(), "_delta_log").iterdir():
                os.utime(path, (moment, moment))
            maintain(shop.job)

    assert newest_checkpoint(shop.uri()) > 20
    assert [commit.notes.batch_id for commit in batch_commits(shop.uri())] == list(range(22))
    assert DeltaTable(shop.uri()).metadata().configuration == LOG_PROPERTIES
    assert examine(shop.job) == []


def write_checksums(shop: Store) -> None:
    """Write the files that Spark writes beside each commit."""
    log = Path(shop.uri(), "_delta_log")
    for commit in list(log.glob("*.json")):
        for name in (f"{commit.stem}.crc", f".{commit.stem}.crc.crc", f".{commit.name}.crc"):
            (log / name).write_text("{}")


def test_checksums_of_commits_before_the_checkpoint_go_and_the_commits_stay(shop: Store) -> None:
    ten_runs(shop)
    shop.run(stored_rows("a", hour=11))
    write_checksums(shop)
    log = Path(shop.uri(), "_delta_log")
    commits = sorted(path.name for path in log.glob("*.json"))

    maintain(shop.job)

    newest = newest_checkpoint(shop.uri())
    sums = {int(path.name.lstrip(".")[:20]) for path in log.glob("*.crc")}
    sums |= {int(path.name.lstrip(".")[:20]) for path in log.glob(".*.crc")}
    assert newest > 0
    assert min(sums, default=newest) >= newest
    assert set(commits) <= {path.name for path in log.glob("*.json")}
    assert examine(shop.job) == []
    assert len(amounts(shop.uri())) == 21


def test_a_lost_commit_after_the_checkpoint_is_known_from_its_checksum(shop: Store) -> None:
    ten_runs(shop)
    maintain(shop.job)
    shop.run(stored_rows("a", hour=11))
    write_checksums(shop)
    lost = max(Path(shop.uri(), "_delta_log").glob("*.json"))
    lost.unlink()

    maintain(shop.job)

    assert str(lost) in (table_damage(shop.uri(), ()) or "")


def retired(shop: Store, table_id: str = "t0", **options: object) -> Path:
    shop.build(table_id, "retired", **options)  # type: ignore[arg-type]  # passed through
    shop.run(stored_rows("a"), table_id)
    return Path(shop.uri(table_id))


def test_a_retired_build_goes_after_its_retention_with_its_checkpoint(shop: Store) -> None:
    shop.build()
    shop.run(stored_rows("a"))
    old = retired(shop)
    quarantine = Path(shop.layout.quarantine("spending", "t0"))
    write_deltalake(quarantine, stored_rows("bad"))
    shop.now += timedelta(days=6)
    maintain(shop.job)
    stays = old.exists()

    shop.now += timedelta(days=2)
    result = by_table(maintain(shop.job))["spending"]

    assert (stays, old.exists(), quarantine.exists()) == (True, False, False)
    assert result.builds_removed == ("t0",)
    assert not Path(shop.layout.checkpoint("t0", 0)).exists()
    assert {record.table_id: record.state for record in Tables(shop.layout).records()} == {
        "t0": "removed",
        "t1": "current",
    }
    assert amounts(shop.uri()) == [("a", 1.0)]


@pytest.mark.parametrize("state", ["current", "building"])
def test_a_build_that_a_derived_table_is_made_of_stays(shop: Store, state: str) -> None:
    shop.build()
    shop.run(stored_rows("a"))
    old = retired(shop)
    shop.build("d1", state, view=DERIVED, upstream="t0")
    shop.now += timedelta(days=100)

    maintain(shop.job)

    assert old.exists()


def test_what_a_crash_left_of_a_removed_build_is_removed(shop: Store) -> None:
    shop.build()
    shop.run(stored_rows("a"))
    old = retired(shop)
    record = next(each for each in Tables(shop.layout).records() if each.table_id == "t0")
    Tables(shop.layout).record(replace(record, state="removed"))

    maintain(shop.job)

    assert not old.exists()


@pytest.mark.parametrize("state", ["retired", "removed"])
def test_a_record_without_an_id_removes_nothing(shop: Store, state: str) -> None:
    ten_runs(shop)
    before = amounts(shop.uri())
    (record,) = Tables(shop.layout).records()
    Tables(shop.layout).record(replace(record, table_id="", state=state))  # type: ignore[arg-type]
    shop.now += timedelta(days=100)

    result = by_table(maintain(shop.job))["spending"]

    assert isinstance(result.error, TableError)
    assert amounts(shop.uri()) == before
    assert Path(shop.layout.checkpoint("t1", 0)).is_dir()


def test_versions_that_a_derived_stream_has_not_read_keep_their_files(shop: Store) -> None:
    shop.views = (SPENDING, DERIVED)
    ten_runs(shop)
    shop.build("d1", view=DERIVED, upstream="t1")
    shop.run(stored_rows("a"), "d1", "copied", pays=False)  # has read version 9
    offset = Path(shop.layout.checkpoint("d1", 0), "offsets", "0")
    whole = offset.read_text()
    offset.write_text(whole.replace('Version": 10', 'Version": 4'))  # has read version 3
    maintain(shop.job)
    age(shop.uri(), days=8)

    lagging = by_table(maintain(shop.job))["spending"]
    versions = [len(amounts(shop.uri(), version)) for version in range(4, 11)]
    offset.write_text(whole.replace('Version": 10', 'Version": 11'))
    # The next batch has begun, and reads from the end of the one before it.
    next_offset = whole.replace('Version": 10', 'Version": 12')
    offset.with_name("1").write_text(next_offset)
    begun = by_table(maintain(shop.job, dry_run=True))["spending"]
    level = by_table(maintain(shop.job))["spending"]

    assert begun.files_removed == 10
    assert (lagging.files_removed, level.files_removed) == (0, 10)
    assert versions == [10, 12, 14, 16, 18, 20, 20]


def behind(shop: Store, change: Callable[[str], str], state: str = "current") -> Maintenance:
    """What maintenance does with ten old files, next to a derived stream with a changed offset."""
    shop.views = (SPENDING, DERIVED)
    ten_runs(shop)
    shop.build("d1", view=DERIVED, upstream="t1", state=state)
    shop.run(stored_rows("a"), "d1", "copied", pays=False)
    offset = Path(shop.layout.checkpoint("d1", 0), "offsets", "0")
    offset.write_text(change(offset.read_text()))
    maintain(shop.job)
    age(shop.uri(), days=8)
    return by_table(maintain(shop.job))["spending"]


@pytest.mark.parametrize("length", [0, 5, -10])
def test_a_cut_offset_of_a_derived_stream_keeps_all_files(shop: Store, length: int) -> None:
    result = behind(shop, lambda text: text[:length])

    assert (result.error, result.files_removed) == (None, 0)


def test_a_version_that_a_stream_has_read_in_part_keeps_its_files(shop: Store) -> None:
    def in_part(text: str) -> str:
        return text.replace('Version": 10, "index": -1', 'Version": 9, "index": 0')

    result = behind(shop, in_part)

    assert (result.error, result.files_removed) == (None, 0)


def test_what_a_retired_derived_build_has_not_read_stays(shop: Store) -> None:
    def lagging(text: str) -> str:
        return text.replace('Version": 10', 'Version": 4')

    result = behind(shop, lagging, "retired")

    assert (result.error, result.files_removed) == (None, 0)


def test_a_file_that_cannot_be_read_stops_no_other_table(shop: Store) -> None:
    shop.views = (SPENDING, DERIVED)
    ten_runs(shop)
    shop.build("d1", view=DERIVED, upstream="t1")
    shop.run(stored_rows("a"), "d1", "copied", pays=False)
    offsets = Path(shop.layout.checkpoint("d1", 0), "offsets")
    (offsets / "0").unlink()
    (offsets / "0").mkdir()  # no file, so that reading fails

    results = by_table(maintain(shop.job))

    assert isinstance(results["spending"].error, StorageError)
    assert results["ledger of runs"].error is None


def test_a_derived_stream_behind_a_shortened_log_stops_no_maintenance(shop: Store) -> None:
    shop.views = (SPENDING, DERIVED)
    ten_runs(shop)
    shop.build("d1", view=DERIVED, upstream="t1")
    shop.run(stored_rows("a"), "d1", "copied", pays=False)
    offset = Path(shop.layout.checkpoint("d1", 0), "offsets", "0")
    offset.write_text(offset.read_text().replace('Version": 10', 'Version": 4'))
    maintain(shop.job)
    age(shop.uri(), days=8)
    DeltaTable(shop.uri(), version=5).create_checkpoint()
    for version in range(5):
        Path(shop.uri(), "_delta_log", f"{version:020}.json").unlink()

    result = by_table(maintain(shop.job))["spending"]

    assert result.error is None
    assert [len(amounts(shop.uri(), version)) for version in range(5, 11)] == [
        12,
        14,
        16,
        18,
        20,
        20,
    ]


def test_a_view_that_is_being_materialized_is_left_and_named(shop: Store) -> None:
    shop.views = (SPENDING, DERIVED)
    ten_runs(shop)

    with view_lock(shop.layout, "spending", "r", NOON):
        results = by_table(maintain(shop.job))

    assert isinstance(results["spending"].error, ConflictError)
    assert results["copied"].error is None
    assert open_snapshot(shop.uri()).files.num_rows == 10


def test_a_damaged_table_is_left_as_it_is(shop: Store) -> None:
    ten_runs(shop)
    newest = Path(shop.uri(), "_delta_log", f"{9:020}.json")
    newest.write_bytes(b"")

    result = by_table(maintain(shop.job))["spending"]

    assert isinstance(result.error, TableError)
    assert not Path(shop.uri(), "_delta_log", f"{10:020}.json").exists()


def test_a_damaged_quarantine_or_ledger_of_files_is_left_as_it_is(shop: Store) -> None:
    ten_runs(shop)
    tables = (shop.layout.quarantine("spending", "t1"), shop.layout.files())
    for uri in tables:
        for _ in range(12):
            write_deltalake(uri, stored_rows("bad"), mode="append")
        for path in Path(uri, "_delta_log").glob("*checkpoint*"):
            path.unlink()
        Path(uri, "_delta_log", f"{11:020}.json").write_bytes(b"")

    results = by_table(maintain(shop.job))

    for name, uri in zip(("spending", "ledger of files"), tables, strict=True):
        assert isinstance(results[name].error, TableError)
        assert newest_checkpoint(uri) == -1


def test_a_ledgers_log_is_short_also_of_an_older_release(shop: Store) -> None:
    schema = pa.schema([("run_id", pa.string())])
    write_deltalake(shop.layout.files(), schema.empty_table())
    ten_runs(shop)
    new = DeltaTable(shop.layout.runs()).metadata().configuration

    maintain(shop.job)

    old = DeltaTable(shop.layout.files()).metadata().configuration
    assert new == old == {"delta.logRetentionDuration": "interval 1 days"}


def test_a_retention_below_an_hour_is_refused(shop: Store) -> None:
    with pytest.raises(RequestError) as raised:
        maintain(shop.job, retention=timedelta(minutes=59))

    assert "1h" in raised.value.fix


def test_old_records_of_nothing_new_go_and_the_last_run_of_a_view_stays(shop: Store) -> None:
    ten_runs(shop)
    done = Runs(shop.layout).records("spending")[-1]
    idle = [
        replace(
            done,
            run_id=f"idle-{at}",
            status="nothing",
            outcome=replace(done.outcome, version=None),
        )
        for at in range(5)
    ]
    for record in idle:
        Runs(shop.layout).record(record)
    open_run = replace(done, run_id="open", status="running", ended_at=None)
    Runs(shop.layout).record(open_run)
    shop.now += timedelta(days=8)

    result = by_table(maintain(shop.job))["ledger of runs"]

    # 10 beginnings of runs, and 5 runs that found nothing new; the last run has not ended.
    assert result.records_removed == 15
    runs = Runs(shop.layout).records()
    assert [run.run_id for run in runs] == [*(f"r-t1-{at}" for at in range(10)), "open"]
    assert by_table(maintain(shop.job))["ledger of runs"].records_removed == 0
