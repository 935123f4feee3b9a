"""Which refreshes answer changed keys only, and what these read and write."""

import json
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

from featurestore.definitions.model.types import Float64, Int64
from featurestore.engines.latest.changes import changed_keys
from featurestore.engines.latest.plan import ChangedKeys
from featurestore.engines.latest.ranges import KeyRange, key_ranges
from featurestore.engines.latest.rewrite import file_groups
from featurestore.query.nodes import Aggregate, Column, KeyBinding, Rows, ViewQuery, Window
from featurestore.store.delta.snapshot import open_snapshot
from tests.engines.latest.latest_table import LatestTable
from tests.tables import feature_table

VIEW = ViewQuery(
    "v",
    keys=(KeyBinding("id", "id", Int64),),
    timestamp_field="event_timestamp",
    columns=(Column("x", "x", Float64),),
)
TOTAL = Aggregate(
    "total", column="x", dtype=Float64, function="sum", window=Window(10), result=Float64
)
LATER = 1_000


def rows(ids: list[int], at: int, x: float = 1.0) -> pa.Table:
    return feature_table({"id": [*ids]}, [at] * len(ids), {"x": [x] * len(ids)})


@pytest.fixture
def table(tmp_path: Path) -> LatestTable:
    """A table of nine keys, refreshed into three files."""
    made = LatestTable(tmp_path, VIEW)
    for first in (1, 4, 7):
        made.store(rows([first, first + 1, first + 2], at=first))
    made.refresh(LATER)
    return made


def x_of(table: LatestTable) -> dict[int, float]:
    latest = table.rows()
    return dict(zip(latest["id"].to_pylist(), latest["x"].to_pylist(), strict=True))


def test_only_files_with_a_changed_key_are_written(table: LatestTable) -> None:
    table.store(rows([5, 10], at=20, x=7.0))

    done = table.refresh(LATER + 1)

    assert (done.keys, done.files_written, done.files_kept, done.reason) == (2, 2, 1, "")
    assert x_of(table) == {**dict.fromkeys([1, 2, 3, 4, 6, 7, 8, 9], 1.0), 5: 7.0, 10: 7.0}


@pytest.mark.parametrize("joins", [False, True])
def test_groups_that_cannot_have_changed_keys_get_no_task_and_open_no_added_file(
    table: LatestTable, joins: bool
) -> None:
    table.store(rows([5], at=20))
    table.store(rows([8], at=20))
    if joins:
        table.compact()

    features, plan = table.plan(LATER + 1)

    assert isinstance(plan, ChangedKeys)
    assert plan.changing == [1, 2]
    for number, keys in ((0, []), (1, [5]), (2, [8])):
        opened = replace(features, footers={})
        found = changed_keys(table.task(LATER + 1), opened, plan.since, plan.groups[number].keys)
        assert (found["id"].to_pylist(), len(opened.footers)) == (keys, len(keys))


def test_without_statistics_each_added_file_is_read(table: LatestTable) -> None:
    table.store(rows([5], at=20))
    log = sorted(Path(table.features, "_delta_log").glob("*.json"))[-1]
    actions = [json.loads(line) for line in log.read_text().splitlines()]
    for action in actions:
        action.get("add", {}).pop("stats", None)
    log.write_text("\n".join(map(json.dumps, actions)))

    _, plan = table.plan(LATER + 1)

    assert isinstance(plan, ChangedKeys)
    assert plan.changing == [0, 1, 2]


def test_without_a_changed_key_only_the_notes_are_committed(table: LatestTable) -> None:
    before = DeltaTable(table.latest).file_uris()

    done = table.refresh(LATER + 1)

    assert (done.keys, done.files_written, done.files_kept, done.reason) == (0, 0, 3, "")
    assert DeltaTable(table.latest).file_uris() == before


def test_a_row_that_is_joined_with_others_since_is_a_changed_key(table: LatestTable) -> None:
    table.store(rows([5], at=20, x=7.0))
    table.compact()

    assert table.refresh(LATER + 1).keys == 1
    assert x_of(table)[5] == 7.0


@pytest.mark.parametrize("others", [{"table_id": "t2"}, {"query": "changed"}])
def test_another_table_or_definition_is_refreshed_whole(
    table: LatestTable, others: dict[str, object]
) -> None:
    assert table.refresh(LATER + 1, **others).reason


def test_a_clock_that_was_set_back_is_refreshed_whole(table: LatestTable) -> None:
    assert table.refresh(LATER - 1).reason


def test_windows_and_views_without_keys_are_refreshed_whole(table: LatestTable) -> None:
    table.query = replace(VIEW, columns=(), aggregates=(TOTAL,))
    assert table.refresh(LATER + 1).reason
    table.query = replace(VIEW, keys=())
    assert table.refresh(LATER + 2).reason


def test_a_table_that_another_program_has_changed_is_refreshed_whole(table: LatestTable) -> None:
    DeltaTable(table.latest).delete("id = 5")

    done = table.refresh(LATER + 1)

    assert done.reason
    assert x_of(table)[5] == 1.0


def test_an_added_file_that_was_cleaned_up_is_refreshed_whole(table: LatestTable) -> None:
    table.store(rows([5], at=20, x=7.0))
    added = {*DeltaTable(table.features).file_uris()}
    table.compact()
    for path in added - {*DeltaTable(table.features).file_uris()}:
        Path(path).unlink()

    done = table.refresh(LATER + 1)

    assert done.reason
    assert x_of(table)[5] == 7.0


def test_a_commit_that_is_gone_is_refreshed_whole(table: LatestTable) -> None:
    table.store(rows([5], at=20, x=7.0))
    table.store(rows([6], at=21, x=8.0))
    features = DeltaTable(table.features)
    features.create_checkpoint()
    Path(table.features, "_delta_log", f"{features.version() - 1:020}.json").unlink()

    assert table.refresh(LATER + 1).reason
    assert x_of(table)[6] == 8.0


def test_ranges_hold_each_key_once_and_start_where_files_start(table: LatestTable) -> None:
    snapshot = open_snapshot(table.features)

    ranges = [each.keys for each in key_ranges(snapshot, "id", 3)]

    assert ranges == [KeyRange(None, 4), KeyRange(4, 7), KeyRange(7, None)]
    assert [each.rows for each in key_ranges(snapshot, "id", 4)] == [6, 3]
    assert [each.rows for each in key_ranges(snapshot, None, 3)] == [9]


def test_files_whose_keys_overlap_are_one_group(table: LatestTable) -> None:
    latest = open_snapshot(table.latest)
    groups = file_groups(latest, "id")
    assert groups is not None
    assert [len(group.files) for group in groups] == [1, 1, 1]

    overlapping = pa.concat_tables([latest.files, latest.files.slice(1, 1)])

    merged = file_groups(replace(latest, files=overlapping), "id")
    assert merged is not None
    assert [(group.keys, group.rows) for group in merged] == [
        (KeyRange(None, 4), 3),
        (KeyRange(4, 7), 6),
        (KeyRange(7, None), 3),
    ]


@pytest.mark.parametrize(
    ("rule", "available", "moments", "expected"),
    [
        # The event is at 100. Each moment is refreshed after the one before it.
        ({"ttl": 10}, 100, [99, 100, 110, 111], [None, 1.0, 1.0, None]),
        ({}, 150, [149, 150, 151], [None, 1.0, 1.0]),
        ({}, 150, [149, 160], [None, 1.0]),
        ({"rows": Rows(available_delay=50)}, None, [149, 150, 151], [None, 1.0, 1.0]),
        (
            {"rows": Rows(available_delay=50, has_available=False)},
            150,
            [100, 149, 150],
            [None, None, 1.0],
        ),
        ({"ttl": 0}, 100, [100, 101], [1.0, None]),
        ({"ttl": 40}, 130, [129, 130, 140, 141], [None, 1.0, 1.0, None]),
    ],
)
def test_a_key_changes_at_the_moment_at_which_its_row_is_visible_or_too_old(
    tmp_path: Path,
    rule: dict[str, object],
    available: int | None,
    moments: list[int],
    expected: list[float | None],
) -> None:
    table = LatestTable(tmp_path, replace(VIEW, **rule))  # type: ignore[arg-type]  # fields
    seen = pa.array([available, 5], pa.timestamp("us", tz="UTC"))
    both = rows([1, 2], at=0).set_column(2, "available_timestamp", seen)
    table.store(both.set_column(1, "event_timestamp", pa.array([100, 5], seen.type)))
    table.refresh(moments[0] - 1)

    refreshed = [(table.refresh(moment), x_of(table)[1]) for moment in moments]

    assert [value for _, value in refreshed] == expected
    assert {done.reason for done, _ in refreshed} == {""}
