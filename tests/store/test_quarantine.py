"""The quarantine's table: which rows are shown, removed, marked and released."""

from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import CommitProperties, DeltaTable, Transaction, write_deltalake

from featurestore.store.columns import UTC_MICROS
from featurestore.store.layout import Layout
from featurestore.store.ledger.tables import TableRecord
from featurestore.store.quarantine import (
    drop_unfinished,
    mark_released,
    mark_rows,
    pending_releases,
    read_quarantine,
    releasable_rows,
    unmark_rows,
)
from tests.store.quarantine_rows import NOON, ROWS, QuarantineRow, put_rows

RECORD = TableRecord(
    "spending", table_id="t1", fingerprint="f", state="current", generation=1, at=NOON
)
YEAR_10000 = 253_402_300_800_000_000


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A build whose table has batches 0 to 2 of generation 0, and 0 of generation 1."""
    layout = Layout(str(tmp_path))
    done = [Transaction("t1/0", 2), Transaction("t1/1", 0)]
    write_deltalake(
        layout.features("spending", "t1"),
        pa.table({"card_id": ["a"]}),
        commit_properties=CommitProperties(app_transactions=done),
    )
    return layout


def put(layout: Layout, *rows: QuarantineRow) -> str:
    uri = layout.quarantine("spending", "t1")
    put_rows(uri, *rows)
    return uri


def states(layout: Layout) -> dict[str, str]:
    return {row.id: row.state for row in read_quarantine(layout, RECORD)}


def test_without_a_quarantine_there_are_no_rows(layout: Layout) -> None:
    drop_unfinished(layout, RECORD)

    assert read_quarantine(layout, RECORD) == []
    assert releasable_rows(layout, RECORD).ids == ()
    assert pending_releases(layout.quarantine("spending", "t1")) == []


def test_a_row_has_its_values_and_its_run(layout: Layout) -> None:
    put(layout, ("q1", 0, 2, -1.0))

    (row,) = read_quarantine(layout, RECORD)

    assert (row.id, row.reasons, row.run_id) == ("q1", ("amount:in_range",), "run of q1")
    assert (row.state, row.quarantined_at, row.released_at) == ("quarantined", NOON, None)
    assert row.values == {"card_id": "a", "event_timestamp": NOON, "amount": -1.0}


def test_rows_of_a_batch_that_is_not_stored_are_refused_and_removed(layout: Layout) -> None:
    put(layout, ("q1", 0, 2, 1.0), ("q2", 0, 3, 2.0), ("q3", 1, 0, 3.0), ("q4", 1, 1, 4.0))
    before = states(layout)

    drop_unfinished(layout, RECORD)

    assert before == {"q1": "quarantined", "q2": "refused", "q3": "quarantined", "q4": "refused"}
    assert states(layout) == {"q1": "quarantined", "q3": "quarantined"}


def test_nothing_is_committed_where_all_batches_are_stored(layout: Layout) -> None:
    uri = put(layout, ("q1", 0, 2, 1.0))

    drop_unfinished(layout, RECORD)

    assert DeltaTable(uri).version() == 0


def test_rows_are_released_in_two_steps(layout: Layout) -> None:
    uri = put(layout, ("q1", 0, 2, 1.0), ("q2", 0, 2, 2.0), ("q3", 0, 3, 3.0))
    free = releasable_rows(layout, RECORD)
    mark_rows(uri, ["q1"], "r1")
    marked, pending = releasable_rows(layout, RECORD), pending_releases(uri)

    mark_released(uri, "r1", NOON)

    assert sorted(free.ids) == ["q1", "q2"]
    assert free.table.column_names == ["card_id", "event_timestamp", "amount"]
    assert (marked.ids, pending) == (("q2",), ["r1"])
    assert states(layout) == {"q1": "released", "q2": "quarantined", "q3": "refused"}
    assert {row.released_at for row in read_quarantine(layout, RECORD)} == {NOON, None}
    assert pending_releases(uri) == []


def test_a_mark_can_be_taken_back(layout: Layout) -> None:
    uri = put(layout, ("q1", 0, 2, 1.0))
    mark_rows(uri, ["q1"], "r1")

    unmark_rows(uri, "r1")

    assert releasable_rows(layout, RECORD).ids == ("q1",)


def test_a_time_that_python_does_not_have_is_text(layout: Layout) -> None:
    uri = put(layout, ("q1", 0, 2, 1.0))
    far = DeltaTable(uri)
    data = pa.table(far.to_pyarrow_table())
    row = pa.array([{"card_id": "a", "event_timestamp": None, "amount": 1.0}], ROWS)
    times = pa.array([YEAR_10000], pa.int64()).cast(UTC_MICROS)
    parts = [row.field(0), times, row.field(2)]
    row = pa.StructArray.from_arrays(parts, fields=list(ROWS))
    write_deltalake(uri, data.set_column(8, "row", row), mode="overwrite")

    (read,) = read_quarantine(layout, RECORD)

    assert read.values["event_timestamp"] == f"{YEAR_10000} microseconds after 1970"
