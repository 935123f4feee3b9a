"""What a run records of a table that is already stored, without Spark."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.source import DeltaSource
from featurestore.definitions.model.types import Field, Int64
from featurestore.definitions.model.view import FeatureView
from featurestore.jobs.profiles import table
from featurestore.jobs.profiles.batches import BatchSketches
from featurestore.jobs.profiles.features import window_features
from featurestore.jobs.profiles.record import ProfiledRun, record_profiles
from featurestore.monitoring.columns import stored_columns_of
from featurestore.monitoring.profile import Profile
from featurestore.monitoring.records import stored_profiles
from featurestore.monitoring.rows import describe_tables
from featurestore.store.delta.snapshot import Snapshot
from featurestore.store.layout import Layout
from tests.tables import feature_table, write_runs

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
VIEW = FeatureView(
    "spending",
    entities=(Entity("card", join_keys=(Field("id", Int64),)),),
    source=DeltaSource("paid", path="p", timestamp_field="at"),
    schema=(Field("amount", Int64),),
    aggregations=(Aggregation("amount", "sum", windows=("7d",)),),
)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(str(tmp_path))


def store(layout: Layout, amounts: Sequence[int], *, described: bool = True) -> BatchSketches:
    """Store rows of one key in a commit of its own, and return what the run has described."""
    rows = feature_table({"id": [1] * len(amounts)}, [0] * len(amounts), {"amount": [*amounts]})
    write_runs(Path(layout.features("spending", "t1")), [rows])
    batches = BatchSketches(VIEW)
    if described:
        text = describe_tables(stored_columns_of(VIEW), None, [rows])
        batches.profiling.collect([text])
    return batches


def record(
    layout: Layout, batches: BatchSketches, at: datetime = NOON, *, is_repair: bool = False
) -> tuple[str, dict[str, Profile]]:
    """Record a run's profiles; return its note and what it has recorded."""
    before = stored_profiles(layout)
    run = ProfiledRun(
        layout,
        view=VIEW,
        run_id=f"{at:%d-%H:%M}",
        table_id="t1",
        now=at,
        is_repair=is_repair,
    )
    note = record_profiles(run, batches)
    return note, {each.kind: each for each in stored_profiles(layout)[len(before) :]}


def test_window_features_are_described_twice_and_then_once_an_hour_or_after_many_rows(
    layout: Layout,
) -> None:
    runs = [(0, 100), (15, 1), (59, 1), (60, 1), (75, 1), (76, 4), (77, 3)]
    kinds = [
        set(record(layout, store(layout, [5] * count), NOON + minutes * MINUTE)[1])
        for minutes, count in runs
    ]

    whole = {"rows", "table", "features"}
    rows = whole - {"features"}
    assert kinds == [whole, whole, rows, rows, whole, rows, whole]


def test_window_features_that_fail_leave_the_other_profiles(layout: Layout) -> None:
    note, recorded = record(layout, store(layout, [2**62] * 3))
    second, later = record(layout, store(layout, [1]), NOON + MINUTE)

    assert note
    assert second
    assert set(recorded) == set(later) == {"rows", "table"}
    assert later["table"].columns[-1].rows == 4


def test_a_table_whose_rows_were_not_described_is_read_once_a_day(layout: Layout) -> None:
    note, first = record(layout, store(layout, [1], described=False))
    waits, none = record(layout, store(layout, [2], described=False), NOON + MINUTE)
    read, later = record(layout, store(layout, [3], described=False), NOON + timedelta(days=1))

    assert (note, set(first)) == ("", {"table", "features"})
    assert waits
    assert none == {}
    assert (read, later["table"].columns[-1].rows) == ("", 3)


def test_a_repair_has_no_profile_of_the_copied_rows(layout: Layout) -> None:
    _, recorded = record(layout, store(layout, [1, 2]), is_repair=True)

    assert set(recorded) == {"table", "features"}


@pytest.mark.parametrize(
    "damage",
    [
        {"mean": "abc"},
        {"rows": None},
        {"rows": 9},
        {"minimum": []},
        {"quantiles": "AAAA"},
        {"distinct": "AAAA"},
        {"distinct": "????"},
        {"distinct": ""},
        {"top": [{"1": "x"}, 0]},
    ],
)
def test_damaged_sketches_are_made_again_from_the_table(
    layout: Layout, damage: dict[str, object]
) -> None:
    record(layout, store(layout, [1]))
    path = Path(layout.sketches("t1"))
    sketches = json.loads(path.read_text())
    sketches["columns"]["amount"] |= damage
    path.write_text(json.dumps(sketches))

    note, recorded = record(layout, store(layout, [2, 3]), NOON + MINUTE)

    amount = recorded["table"].columns[-1]
    assert (note, amount.rows, amount.mean, amount.maximum) == ("", 3, 2.0, 3)


def test_sketches_of_another_release_are_made_again_from_the_table(layout: Layout) -> None:
    record(layout, store(layout, [1]))
    path = Path(layout.sketches("t1"))
    sketches = json.loads(path.read_text())
    path.write_text(json.dumps(sketches | {"form": "featurestore.sketch/1"}))

    _, recorded = record(layout, store(layout, [2, 3]), NOON + MINUTE)

    amount = recorded["table"].columns[-1]
    assert (amount.rows, amount.distinct) == (3, 3)
    assert json.loads(path.read_text())["form"] == sketches["form"]


def test_large_tables_with_sketches_of_another_release_have_no_new_profile(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "MOST_ROWS", 2)
    record(layout, store(layout, [1]))
    path = Path(layout.sketches("t1"))
    path.write_text(path.read_text().replace("featurestore.sketch/", "another/"))

    _, recorded = record(layout, store(layout, [2, 3]), NOON + MINUTE)

    assert "rows" in recorded
    assert "table" not in recorded


def test_sketches_without_a_column_are_made_again_from_the_table(layout: Layout) -> None:
    record(layout, store(layout, [1]))
    path = Path(layout.sketches("t1"))
    sketches = json.loads(path.read_text())
    del sketches["columns"]["amount"]
    path.write_text(json.dumps(sketches))

    _, recorded = record(layout, store(layout, [2, 3]), NOON + MINUTE)

    assert recorded["table"].columns[-1].rows == 3


def test_a_small_run_opens_few_files_of_a_large_table(tmp_path: Path) -> None:
    folder = tmp_path / "table"
    runs = [feature_table({"id": [key]}, [0], {"amount": [key]}) for key in range(25)]
    whole = write_runs(folder, runs)
    snapshot = Snapshot(whole.uri, whole.version, whole.files, whole.schema)

    (total,) = window_features(VIEW, snapshot, NOON)

    assert (total.rows, total.minimum, total.maximum) == (10, 15, 24)
