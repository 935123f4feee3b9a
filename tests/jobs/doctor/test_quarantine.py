"""The doctor opens quarantines too: their logs, their files, and their rows against the notes."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from featurestore.jobs.contract.changes import Column
from featurestore.jobs.contract.check import Accepted
from featurestore.jobs.contract.record import record_columns
from featurestore.jobs.doctor.doctor import examine
from featurestore.jobs.doctor.quarantine import UNBALANCED
from featurestore.jobs.materialize.lock import view_lock
from featurestore.store.quarantine import mark_released, mark_rows
from tests.jobs.world import NOON, Store, stored_rows
from tests.store.quarantine_rows import put_rows

NAME = "quarantine of spending"


@pytest.fixture
def built(shop: Store) -> Store:
    """Three runs of one good row each; the first two have one and two bad rows."""
    shop.build()
    for hour, bad in enumerate([1, 2, 0]):
        shop.run(stored_rows("a", hour=hour), bad=bad)
    return shop


def quarantine(shop: Store) -> str:
    return shop.layout.quarantine("spending", "t1")


def newest_commit(shop: Store) -> Path:
    return max(Path(quarantine(shop), "_delta_log").glob("*.json"))


def data_file(shop: Store) -> Path:
    return Path(DeltaTable(quarantine(shop)).file_uris()[0].removeprefix("file://"))


def test_a_whole_quarantine_has_no_findings(built: Store) -> None:
    mark_rows(quarantine(built), ["r-t1-0-0"], "release")
    mark_released(quarantine(built), "release", NOON)

    assert examine(built.job) == []


def test_rows_of_a_batch_that_is_not_stored_are_no_finding(built: Store) -> None:
    put_rows(quarantine(built), ("unfinished", 0, 3, -1.0))

    assert examine(built.job) == []


def lose_file(shop: Store) -> None:
    data_file(shop).unlink()


def damage_file(shop: Store) -> None:
    path = data_file(shop)
    path.write_bytes(b"\0" * path.stat().st_size)


def cut_old_commit(shop: Store) -> None:
    path = min(Path(quarantine(shop), "_delta_log").glob("*.json"))
    path.write_bytes(path.read_bytes()[:50])


def lose_all(shop: Store) -> None:
    shutil.rmtree(quarantine(shop))


def lose_rows(shop: Store) -> None:
    DeltaTable(quarantine(shop)).delete("quarantine_id = 'r-t1-1-0'")


def double_rows(shop: Store) -> None:
    put_rows(quarantine(shop), ("again", 0, 1, -1.0))


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (lose_file, "D201"),
        (damage_file, "D204"),
        (cut_old_commit, "D102"),
        (lose_all, "D306"),
        (lose_rows, "D306"),
        (double_rows, "D306"),
    ],
)
def test_damage_is_named_with_the_command_that_builds_the_view_again(
    built: Store, damage: Callable[[Store], None], code: str
) -> None:
    damage(built)

    first, *_ = examine(built.job, repair=True)

    assert (first.code, first.table, first.is_repaired) == (code, NAME, False)
    assert "featurestore materialize spending --full" in first.fix


def test_a_damaged_newest_commit_is_set_aside_and_the_lost_rows_are_named(built: Store) -> None:
    newest_commit(built).write_bytes(b"")

    (repaired,) = examine(built.job, repair=True)

    assert (repaired.code, repaired.table, repaired.is_repaired) == ("D102", NAME, True)
    assert [each.code for each in examine(built.job)] == ["D306"]
    assert DeltaTable(built.uri()).version() == 2
    assert Path(built.layout.checkpoint("t1", 0)).is_dir()


def test_a_repair_of_a_quarantine_waits_for_no_run(built: Store) -> None:
    newest_commit(built).write_bytes(b"")

    with view_lock(built.layout, "spending", "r", NOON + timedelta(days=1)):
        first, *_ = examine(built.job, repair=True)

    assert (first.code, first.is_repaired) == ("D102", False)
    assert "pid" in first.fix


def test_the_quarantine_of_a_chosen_view_is_opened(built: Store) -> None:
    lose_file(built)

    assert {each.table for each in examine(built.job, ["spending"])} == {NAME}


def test_a_record_of_columns_has_no_bad_rows_of_its_own(shop: Store) -> None:
    table = shop.build()
    shop.run(stored_rows("a"), bad=2)
    columns = Accepted((Column("card_id", "String"),))
    view = replace(shop.views[0], schema_contract="freeze")
    record_columns(shop.layout, view, table, "r-t1-0", columns)

    assert UNBALANCED not in {each.code for each in examine(shop.job)}


def test_the_quarantine_of_a_snapshot_view_is_not_compared_with_its_runs(built: Store) -> None:
    built.views = (replace(built.views[0], snapshot=True),)
    lose_rows(built)

    assert NAME not in {each.table for each in examine(built.job)}
