"""Rows that fail a view's expectations, or have no key or time, go to the quarantine."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandera.polars as pandera
import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from featurestore.definitions.model.expectations import Expectations
from featurestore.definitions.model.types import Field, Float64
from featurestore.errors import DataQualityError, NotFoundError, RequestError
from featurestore.jobs.quarantine.release import release
from featurestore.jobs.quarantine.rows import quarantined_rows
from featurestore.store.commit import LOG_PROPERTIES
from featurestore.store.fault_points import VARIABLE
from featurestore.store.ledger.runs import Runs
from featurestore.store.quarantine import QuarantinedRow, mark_rows
from tests.jobs.materialize.test_file_sources import put, source_of
from tests.jobs.materialize.test_snapshots import SHOPS, State, deliver, table_of
from tests.jobs.world import NOON, SPENDING, World, other

AMOUNTS = pandera.DataFrameSchema(
    {"amount": pandera.Column(pl.Float64, pandera.Check.in_range(0, 100), nullable=True)}
)


def checked(expectations: object) -> list[object]:
    return [other(SPENDING, expectations=expectations)]


def rows_of(world: World) -> list[QuarantinedRow]:
    return quarantined_rows(world.layout, world.job.applied(), "spending")


def reasons(world: World) -> list[tuple[object, ...]]:
    return sorted((row.values["amount"], row.reasons, row.state) for row in rows_of(world))


def test_rows_that_fail_a_check_are_quarantined_with_the_reason(world: World) -> None:
    world.views = checked(AMOUNTS)
    world.pay(("a", 0, 5.0), ("a", 1, -1.0), ("b", 2, 101.0), ("b", 3, None))

    result = world.materialize()

    assert (result.rows_in, result.rows_out, result.rows_quarantined) == (4, 2, 2)
    assert result.rows_left_out == 0
    assert dict(result.failures) == {"amount:in_range": 2}
    assert world.rows() == [("a", 0, 5.0), ("b", 3, None)]
    assert reasons(world) == [
        (-1.0, ("amount:in_range",), "quarantined"),
        (101.0, ("amount:in_range",), "quarantined"),
    ]


def test_a_row_without_key_or_time_is_quarantined_in_each_view(world: World) -> None:
    world.pay((None, 0, 1.0), ("a", None, 2.0), (None, None, 3.0), ("a", 1, 4.0))

    result = world.materialize()

    assert (result.rows_in, result.rows_out, result.rows_quarantined) == (4, 1, 3)
    assert reasons(world) == [
        (1.0, ("null_key",), "quarantined"),
        (2.0, ("null_time",), "quarantined"),
        (3.0, ("null_key", "null_time"), "quarantined"),
    ]
    assert {(row.run_id, row.quarantined_at) for row in rows_of(world)} == {
        (result.run_id, world.now)
    }


def test_the_gate_stops_a_batch_and_the_next_run_reads_it_again(world: World) -> None:
    world.views = checked(Expectations(AMOUNTS, max_bad_share=0.3))
    world.pay(("a", 0, 1.0), ("a", 1, -1.0))
    refused = world.materialize()
    seen = reasons(world)
    world.views = checked(Expectations(AMOUNTS, max_bad_share=0.5))

    stored = world.materialize()

    assert (refused.status, type(refused.error)) == ("failed", DataQualityError)
    assert refused.error is not None
    assert refused.error.exit_code == 4
    assert seen == [(-1.0, ("amount:in_range",), "refused")]
    assert (stored.status, stored.rows_out, stored.rows_quarantined) == ("done", 1, 1)
    assert reasons(world) == [(-1.0, ("amount:in_range",), "quarantined")]


@pytest.mark.parametrize(
    ("severity", "status", "out"), [("warn", "done", 2), ("fail", "failed", 0)]
)
def test_severity_decides_what_a_failed_check_does(
    world: World, severity: str, status: str, out: int
) -> None:
    world.views = checked(Expectations(AMOUNTS, severity={"amount:in_range": severity}))
    world.pay(("a", 0, 1.0), ("a", 1, -1.0))

    result = world.materialize()

    assert (result.status, result.rows_out, result.rows_quarantined) == (status, out, 0)
    assert dict(result.failures) == ({"amount:in_range": 1} if severity == "warn" else {})


def test_a_failure_between_the_two_commits_doubles_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.views = checked(AMOUNTS)
    world.pay(("a", 0, 1.0), ("a", 1, -1.0))
    world.materialize()
    world.pay(("a", 2, 2.0), ("a", 3, -2.0))
    monkeypatch.setenv(VARIABLE, "quarantine.committed=raise")
    failed = world.materialize()
    crashed = reasons(world)
    monkeypatch.delenv(VARIABLE)

    result = world.materialize()

    assert failed.status == "failed"
    assert crashed[0] == (-2.0, ("amount:in_range",), "refused")
    assert (result.rows_in, result.rows_out, result.rows_quarantined) == (2, 1, 1)
    assert world.rows() == [("a", 0, 1.0), ("a", 2, 2.0)]
    assert reasons(world) == [
        (-2.0, ("amount:in_range",), "quarantined"),
        (-1.0, ("amount:in_range",), "quarantined"),
    ]
    assert not list(Path(world.layout.root).glob("staging/*"))


def test_a_released_row_is_available_from_the_release_on(world: World) -> None:
    world.views = checked(AMOUNTS)
    world.pay(("a", 0, 5.0), ("a", 1, 101.0), ("a", 2, 900.0), (None, 3, 1.0))
    world.materialize()
    wider = pandera.DataFrameSchema({"amount": pandera.Column(checks=pandera.Check.le(500))})
    world.views = checked(wider)
    world.now += timedelta(hours=1)

    result = release(world.job, "spending")
    world.pay(("a", 4, 7.0))
    later = world.materialize()

    assert (result.status, result.rows_out) == ("done", 1)
    assert world.rows("amount", "available_timestamp") == [
        (5.0, NOON),
        (7.0, NOON + timedelta(hours=4)),
        (101.0, world.now),
    ]
    assert reasons(world) == [
        (1.0, ("null_key",), "quarantined"),
        (101.0, ("amount:in_range",), "released"),
        (900.0, ("amount:in_range",), "quarantined"),
    ]
    assert (later.status, later.rows_in) == ("done", 1)


def test_what_cannot_be_released_is_named_and_nothing_is_stored(world: World) -> None:
    world.views = checked(AMOUNTS)
    world.pay(("a", 0, 5.0))
    world.materialize()
    with pytest.raises(RequestError) as empty:
        release(world.job, "spending")
    world.pay(("a", 1, 101.0))
    world.materialize()
    (row,) = rows_of(world)

    with pytest.raises(RequestError) as failing:
        release(world.job, "spending", [row.id])
    with pytest.raises(RequestError) as all_failing:
        release(world.job, "spending")
    with pytest.raises(NotFoundError) as unknown:
        release(world.job, "spending", [row.id, "no_such_id"])
    with pytest.raises(NotFoundError) as misnamed:
        release(world.job, "spendin")

    assert "no row" in empty.value.found
    assert f"{row.id}: amount:in_range" in failing.value.found
    assert all_failing.value.found == failing.value.found
    assert "no_such_id" in unknown.value.found
    assert "'spending'" in misnamed.value.fix
    assert world.rows() == [("a", 0, 5.0)]
    assert [each.state for each in rows_of(world)] == ["quarantined"]


def test_a_release_that_crashed_is_completed_or_taken_back(world: World) -> None:
    world.views = checked(AMOUNTS)
    world.pay(("a", 0, 101.0), ("a", 1, 102.0))
    world.materialize()
    uri = world.layout.quarantine(
        "spending", world.table().table_uri.rstrip("/").rpartition("/")[2]
    )
    world.views = checked(None)
    ids = {row.values["amount"]: row.id for row in rows_of(world)}
    mark_rows(uri, [ids[101.0]], "crashed before its commit")

    result = release(world.job, "spending", [ids[102.0]])
    DeltaTable(uri).update({"released_at": "NULL"})  # as if it had crashed after its commit
    again = release(world.job, "spending")

    assert (result.rows_out, again.rows_out) == (1, 1)
    assert world.rows() == [("a", 0, 101.0), ("a", 1, 102.0)]
    assert [row.state for row in rows_of(world)] == ["released", "released"]


def test_a_tombstone_is_not_checked(world: World) -> None:
    source = replace(SPENDING.source, name="gone", path="gone", deleted_field="gone")
    view = other(SPENDING, source=source, expectations=AMOUNTS)
    world.views = [view]
    world.spark.createDataFrame(
        [("a", NOON, -1.0, True), ("a", NOON, -1.0, False)],
        "card_id string, at timestamp, amount double, gone boolean",
    ).write.format("delta").save(str(world.folder / "gone"))

    result = world.materialize()

    assert (result.rows_out, result.rows_quarantined) == (1, 1)
    assert world.rows("amount", "_deleted") == [(-1.0, True)]


def test_a_release_after_a_crash_lets_the_next_run_end_the_batch_of_files(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.views = [other(SPENDING, source=source_of("parquet"), expectations=AMOUNTS)]
    put(world, "1.parquet", ("a", 0, 5.0), ("a", 1, 101.0))
    monkeypatch.setenv(VARIABLE, "data.committed=raise")
    failed = world.materialize()
    monkeypatch.delenv(VARIABLE)
    first = world.materialize()
    put(world, "2.parquet", ("a", 2, 6.0), ("a", 3, 102.0))
    monkeypatch.setenv(VARIABLE, "data.committed=raise")
    crashed = world.materialize()
    monkeypatch.delenv(VARIABLE)
    world.views = [other(SPENDING, source=source_of("parquet"))]
    release(world.job, "spending")

    later = world.materialize()

    assert (failed.status, first.status, crashed.status) == ("failed", "done", "failed")
    assert (later.status, later.rows_out) == ("nothing", 0)
    assert world.rows() == [("a", 0, 5.0), ("a", 1, 101.0), ("a", 2, 6.0), ("a", 3, 102.0)]
    assert LOG_PROPERTIES.items() <= world.table().metadata().configuration.items()
    kinds = [run.kind for run in Runs(world.layout).records("spending")]
    assert kinds[-2:] == ["release", "run"]


def test_no_row_is_released_into_the_table_of_an_older_definition(world: World) -> None:
    world.views = checked(AMOUNTS)
    world.pay(("a", 0, 5.0), ("a", 1, 101.0))
    world.materialize()
    world.views = [other(SPENDING, schema=(*SPENDING.schema, Field("more", Float64)))]

    with pytest.raises(RequestError) as older:
        release(world.job, "spending")

    assert "materialize spending" in older.value.fix
    assert world.rows() == [("a", 0, 5.0)]


def test_a_rebuilt_snapshot_view_keeps_its_history_whatever_is_expected_now(world: World) -> None:
    world.views = [SHOPS]
    deliver(world, {"a": ("Rome", 500.0), "b": ("Oslo", 2.0)})
    world.materialize()
    deliver(world, {"a": ("Rome", 5.0), "b": ("Oslo", 2.0)})
    small = pandera.DataFrameSchema({"size": pandera.Column(checks=pandera.Check.le(100.0))})
    world.views = [other(SHOPS, expectations=small)]

    built = world.materialize(full=True)

    assert (built.status, built.rows_quarantined) == ("done", 0)
    sizes = world.rows("shop", "size", view="shops")
    assert sizes == [("a", 5.0), ("a", 500.0), ("b", 2.0)]


def sized(world: World, **options: object) -> None:
    """Let the shops be a snapshot view that expects sizes of at most 100."""
    small = pandera.DataFrameSchema({"size": pandera.Column(checks=pandera.Check.le(100.0))})
    world.views = [other(SHOPS, expectations=Expectations(small, **options))]  # type: ignore[arg-type]  # options of the test


def bad_shops(world: World) -> list[QuarantinedRow]:
    return quarantined_rows(world.layout, world.job.applied(), "shops")


def test_a_snapshot_whose_rows_are_all_bad_is_quarantined_and_holds_no_row(world: World) -> None:
    sized(world)
    deliver(world, {"a": ("Rome", 500.0)})

    built = world.materialize()

    bad = bad_shops(world)
    assert (built.status, built.error, world.rows("shop", view="shops")) == ("done", None, [])
    assert [row.values["shop"] for row in bad] == ["a"]
    deliver(world, {"a": ("Rome", 5.0)})
    assert world.materialize().rows_out == 1
    assert world.rows("shop", "size", view="shops") == [("a", 5.0)]
    assert bad_shops(world) == []


def deliver_with_keyless(world: World, state: State, keyless: int) -> None:
    """Replace the source of shops by a state and so many equal rows without a key."""
    rows = [table_of(state), *[table_of({None: ("Bern", 3.0)})] * keyless]
    write_deltalake(world.folder / "shops", pa.concat_tables(rows), mode="overwrite")
    world.now += timedelta(hours=1)


@pytest.mark.slow
def test_a_bad_row_of_a_snapshot_is_quarantined_once_however_often_it_is_read(
    world: World,
) -> None:
    sized(world)
    deliver_with_keyless(world, {"a": ("Rome", 1.0), "b": ("Oslo", 2.0)}, 1)
    world.materialize()
    first = bad_shops(world)
    bad = {"a": ("Rome", 500.0), "b": ("Oslo", 2.0)}
    deliver_with_keyless(world, bad, 3)
    second = world.materialize()  # new bad rows alone are a commit, which counts them
    deliver_with_keyless(world, bad, 3)
    third = world.materialize()
    deliver_with_keyless(world, {"a": ("Rome", 600.0), "b": ("Oslo", 2.0), "c": ("Nice", 4.0)}, 1)
    fourth = world.materialize()

    assert [row.reasons for row in first] == [("null_key",)]
    assert (second.status, second.rows_in, second.rows_out, second.rows_quarantined) == (
        ("done", 3, 0, 3)
    )
    assert dict(second.failures) == {"null_key": 2, "size:less_than_or_equal_to": 1}
    assert (third.status, third.rows_in, third.rows_quarantined) == ("nothing", 0, 0)
    assert (fourth.rows_in, fourth.rows_out, fourth.rows_quarantined) == (2, 1, 1)
    # Two of the rows without a key are gone. The row of size 500 was replaced by that of 600.
    left = bad_shops(world)
    assert sorted((row.values["size"], row.state) for row in left) == [
        (3.0, "quarantined"),
        (600.0, "quarantined"),
    ]
    sizes = world.rows("shop", "size", view="shops")
    assert sizes == [("a", 1.0), ("b", 2.0), ("c", 4.0)]
    outcomes = [run.outcome for run in Runs(world.layout).records("shops")]
    assert [each.rows_quarantined for each in outcomes] == [1, 3, 0, 1]


@pytest.mark.slow
def test_the_gate_of_a_snapshot_counts_the_rows_of_the_delivery(world: World) -> None:
    # One row in four is bad: of the changes it is one in two, and with the history one in seven.
    sized(world, max_bad_share=0.3)
    good = {"a": ("Rome", 1.0), "b": ("Oslo", 2.0), "c": ("Bern", 3.0)}
    deliver(world, good)
    world.materialize()
    deliver(world, {**good, "a": ("Nice", 1.0), "d": ("Rome", 500.0)})
    passed = world.materialize()
    deliver(world, {"a": ("Nice", 1.0), "c": ("Bern", 500.0), "d": ("Rome", 500.0)})
    refused = world.materialize()
    seen = sorted((row.values["shop"], row.state) for row in bad_shops(world))
    rebuilt = world.materialize(full=True)

    assert (passed.status, passed.rows_out, passed.rows_quarantined) == ("done", 1, 1)
    assert seen == [("c", "refused"), ("d", "quarantined")]
    for result in (refused, rebuilt):
        assert (result.status, type(result.error)) == ("failed", DataQualityError)
        assert result.error is not None
        assert "2 of 3 rows" in result.error.found
    assert len(world.rows("shop", view="shops")) == 4


def test_a_crash_of_a_snapshot_after_its_quarantine_doubles_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sized(world)
    deliver(world, {"a": ("Rome", 1.0), "b": ("Oslo", 200.0)})
    world.materialize()
    deliver(world, {"a": ("Rome", 300.0), "b": ("Oslo", 2.0)})
    monkeypatch.setenv(VARIABLE, "quarantine.committed=raise")
    failed = world.materialize()
    crashed = [(row.values["shop"], row.state) for row in bad_shops(world)]
    monkeypatch.delenv(VARIABLE)

    result = world.materialize()

    assert (failed.status, crashed) == ("failed", [("a", "refused")])
    assert (result.rows_in, result.rows_out, result.rows_quarantined) == (2, 1, 1)
    assert [(row.values["shop"], row.state) for row in bad_shops(world)] == [("a", "quarantined")]


def test_a_released_row_of_a_snapshot_stays_released_and_a_row_that_passes_by_now_is_stored(
    world: World,
) -> None:
    sized(world)
    deliver(world, {"a": ("Rome", 1.0), "b": ("Oslo", 200.0), "c": ("Bern", 300.0)})
    world.materialize()
    ids = {row.values["shop"]: row.id for row in bad_shops(world)}
    world.views = [SHOPS]
    release(world.job, "shops", [ids["b"]])

    later = world.materialize()

    assert (later.rows_in, later.rows_out, later.rows_quarantined) == (1, 1, 0)
    assert [(row.id, row.state) for row in bad_shops(world)] == [(ids["b"], "released")]
    sizes = world.rows("shop", "size", view="shops")
    assert sizes == [("a", 1.0), ("b", 200.0), ("c", 300.0)]
