"""The ledger of profiles keeps the first profile of a view, and one of each past day."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from deltalake import write_deltalake

from featurestore.store.columns import UTC_MICROS
from featurestore.store.layout import Layout
from featurestore.store.ledger.profiles import ProfileRecord, Profiles

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def record(view: str, hours: int, kind: str = "table") -> ProfileRecord:
    at = NOON + timedelta(hours=hours)
    return ProfileRecord(view, run_id=f"r{hours}", table_id="t", kind=kind, at=at, columns="[]")


def test_the_first_profile_of_a_view_and_the_last_of_each_day_stay(tmp_path: Path) -> None:
    ledger = Profiles(Layout(str(tmp_path)))
    ledger.record([record("v", -2), record("v", 0), record("v", 1), record("v", 2, "rows")])
    ledger.record([record("w", 0)])
    ledger.record([record("v", 24), record("v", 25), record("v", 26)])
    before = NOON + timedelta(hours=26)

    assert ledger.clean(before, dry_run=True) == 2
    assert len(ledger.heads()) == 8
    assert ledger.clean(before) == 2
    assert [(each.view, each.kind, each.run_id) for each in ledger.heads()] == [
        ("v", "table", "r-2"),
        ("v", "table", "r1"),
        ("v", "rows", "r2"),
        ("w", "table", "r0"),
        ("v", "table", "r25"),
        ("v", "table", "r26"),
    ]
    assert ledger.clean(before) == 0


def test_all_old_profiles_of_a_removed_view_are_removed(tmp_path: Path) -> None:
    ledger = Profiles(Layout(str(tmp_path)))
    ledger.record([record("v", 0), record("gone", 0), record("gone", 1), record("gone", 48)])

    assert ledger.clean(NOON + timedelta(days=1), ["v"]) == 2
    assert [(each.view, each.run_id) for each in ledger.heads()] == [("v", "r0"), ("gone", "r48")]


def test_only_the_asked_profiles_are_loaded(tmp_path: Path) -> None:
    ledger = Profiles(Layout(str(tmp_path)))
    ledger.record([record("v", 0), record("w", 0), record("v", 1), record("v", 2)])

    first, *_, last = ledger.heads("v")

    assert [(each.view, each.run_id) for each in ledger.load([last, first])] == [
        ("v", "r0"),
        ("v", "r2"),
    ]
    assert ledger.load([]) == ()


def test_a_column_of_a_newer_release_is_ignored(tmp_path: Path) -> None:
    layout = Layout(str(tmp_path))
    Profiles(layout).record([record("v", 0)])
    newer = pa.table({"sequence": [2], "view": ["v"], "run_id": ["r1"], "table_id": ["t"]})
    newer = newer.append_column("kind", pa.array(["table"])).append_column("added", pa.array([1]))
    newer = newer.append_column("at", pa.array([NOON], UTC_MICROS))
    newer = newer.append_column("columns", pa.array(["[]"]))
    write_deltalake(layout.profiles(), newer, mode="append", schema_mode="merge")

    assert [each.run_id for each in Profiles(layout).records("v")] == ["r0", "r1"]
