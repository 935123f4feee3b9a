"""Materialization, from the source to the feature table, the ledgers and the latest table."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from featurestore.client.status import view_statuses
from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.source import TimeUnit
from featurestore.definitions.model.types import Field, Int64, String
from featurestore.errors import (
    ConflictError,
    NotFoundError,
    RequestError,
    SourceError,
    SumOverflowError,
)
from featurestore.jobs.materialize.job import Job
from featurestore.jobs.materialize.lock import view_lock
from featurestore.jobs.materialize.progress import ProgressEvent
from featurestore.jobs.materialize.start import loaded_views, materialize, refresh_latest
from featurestore.store.layout import Layout
from featurestore.store.ledger.runs import Runs
from featurestore.store.ledger.tables import Tables
from featurestore.times import to_micros
from tests.jobs.world import NOON, PAYMENTS, SPENDING, World, moment_of, other

NOON_MILLIS = to_micros(NOON) // 1000


def test_first_run_builds_a_table_of_the_source_rows(world: World) -> None:
    world.pay(("a", 0, 1.0), (None, 1, 2.0), ("b", 1, 2.0), ("c", None, 3.0))

    result = world.materialize()

    assert (result.status, result.kind, result.version) == ("done", "build", 0)
    assert (result.rows_in, result.rows_out, result.null_rows) == (4, 2, 2)
    assert "version 0" in result.message
    assert "quarantined 2 (null_key 1, null_time 1)" in result.message
    assert world.rows() == [("a", 0, 1.0), ("b", 1, 2.0)]
    (run,) = Runs(world.layout).records()
    assert (run.run_id, run.status, run.outcome.batches) == (result.run_id, "done", 1)
    assert run.outcome.max_event_timestamp == moment_of(1)
    assert '"reservoirVersion":1' in (run.outcome.source_offset or "")


def test_rows_with_a_null_in_unique_by_are_stored_and_counted(world: World) -> None:
    source = replace(PAYMENTS, unique_by=("amount",))
    world.views = [other(SPENDING, source=source)]
    world.pay(("a", 0, None), ("a", 1, None), ("b", 1, 2.0))

    result = world.materialize()

    assert (result.rows_out, result.null_unique_rows) == (3, 2)
    assert "; 2 have a null in amount" in result.message
    (run,) = Runs(world.layout).records()
    assert run.outcome.null_unique_rows == 2


@pytest.mark.slow
def test_runs_add_new_and_late_rows_and_a_rebuild_gives_the_same(
    world: World,
) -> None:
    world.pay(("a", 5, 1.0), ("a", 5, 1.0))
    first = world.materialize()
    world.pay(("a", -20, 7.0), ("b", 6, 2.0))

    second = world.materialize()

    assert (second.status, second.kind, second.version) == ("done", "run", 1)
    assert (second.rows_in, second.rows_out) == (2, 2)
    in_halves = world.rows("card_id", "hour", "amount", "_row_hash")
    assert [row[:3] for row in in_halves] == [
        ("a", -20, 7.0),
        ("a", 5, 1.0),
        ("a", 5, 1.0),
        ("b", 6, 2.0),
    ]

    rebuilt = world.materialize(full=True)

    assert rebuilt.kind == "build"
    assert rebuilt.table_id != first.table_id
    assert world.rows("card_id", "hour", "amount", "_row_hash") == in_halves
    assert [r.state for r in Tables(world.layout).records()] == ["current", "retired"]


def test_a_run_without_new_data_commits_nothing(world: World) -> None:
    world.pay(("a", 0, 1.0))
    world.materialize()

    result = world.materialize()

    assert (result.status, result.version, result.rows_out) == ("nothing", 0, 0)
    assert result.message
    assert world.table().version() == 0
    assert [run.status for run in Runs(world.layout).records()] == ["done", "nothing"]


def test_a_build_reads_batches_of_bounded_size(world: World) -> None:
    seen: list[ProgressEvent] = []
    world.views = [other(SPENDING, transform="SELECT * FROM {source}")]
    for hour in range(3):
        world.pay(("a", hour, 1.0))
    world.files_per_batch = 1

    result = world.materialize(progress=seen.append)

    assert (result.kind, result.version, result.rows_out) == ("build", 2, 3)
    assert [event.phase for event in seen[:3]] == ["starting", "waiting", "checking"]
    # The rows of a view with a transform are read twice, and counted once.
    read = [(event.batches, event.rows, event.total) for event in seen if event.rows]
    assert read[-2] == (3, 3, 3)
    assert (seen[-1].phase, seen[-1].rows) == ("done", 3)
    assert [r.state for r in Tables(world.layout).records()] == ["current"]


def test_later_runs_leave_out_events_before_start_too(world: World) -> None:
    world.pay(("a", -1, 1.0), ("a", 0, 2.0))
    world.materialize(start=NOON)
    world.pay(("a", -2, 3.0), ("a", 2, 4.0))

    world.materialize()
    refused = world.materialize(start=NOON)

    assert world.rows() == [("a", 0, 2.0), ("a", 2, 4.0)]
    assert refused.status == "failed"
    assert isinstance(refused.error, RequestError)
    assert "full=True" in refused.error.fix


def test_a_changed_definition_is_a_new_build(world: World) -> None:
    world.pay(("a", 0, 1.0))
    world.materialize()
    world.views = [other(SPENDING, transform="SELECT *, at AS t FROM {source} WHERE amount > 5")]

    result = world.materialize()

    assert (result.kind, result.rows_in, result.rows_out) == ("build", 1, 0)
    assert world.rows() == []
    assert world.table().schema().to_arrow().names[0] == "card_id"


def test_the_latest_table_has_one_row_for_each_key_as_of_the_run(world: World) -> None:
    world.views = [other(SPENDING, latest=True)]
    world.pay(("a", 0, 1.0), ("b", 1, 2.0), ("a", 1, 3.0), ("b", 480, 9.0))

    world.materialize()

    assert world.latest() == [
        {"card_id": "a", "amount_sum_7d": 4.0, "as_of": world.now},
        {"card_id": "b", "amount_sum_7d": 2.0, "as_of": world.now},
    ]
    before, world.now = world.now, world.now + timedelta(days=19)
    world.materialize()
    assert {row["as_of"] for row in world.latest()} == {before}

    done = refresh_latest(world.job)["spending"]

    assert (done.version, done.keys, done.files_written, done.files_kept) == (1, 2, 1, 0)
    assert done.reason
    assert [row["amount_sum_7d"] for row in world.latest()] == [None, 9.0]


def test_an_as_of_view_answers_only_keys_that_have_changed_since_the_last_refresh(
    world: World,
) -> None:
    world.views = [other(SPENDING, latest=True, aggregations=(), ttl="30h")]
    world.pay(("a", 0, 1.0), ("b", 30, 2.0))
    world.materialize()
    world.pay(("c", 40, 3.0), ("b", 29, 9.0))
    world.materialize()
    assert [row["amount"] for row in world.latest()] == [None, 2.0, 3.0]
    before, world.now = world.now, NOON + timedelta(hours=61)

    done = refresh_latest(world.job)["spending"]

    assert (done.keys, done.files_written, done.files_kept, done.reason) == (1, 1, 0, "")
    assert [(row["card_id"], row["amount"]) for row in world.latest()] == [
        ("a", None),
        ("b", None),
        ("c", 3.0),
    ]
    assert [row["as_of"] for row in world.latest()] == [before, world.now, before]
    again = refresh_latest(world.job)["spending"]
    assert (again.version, again.keys, again.files_written) == (done.version + 1, 0, 0)


def test_a_latest_table_that_fails_is_a_failed_run_whose_rows_are_stored(world: World) -> None:
    view = other(
        SPENDING,
        latest=True,
        schema=(Field("n", Int64),),
        transform="SELECT card_id, at, bigint(amount) AS n FROM {source}",
        aggregations=(Aggregation("n", "sum"),),
    )
    world.views = [view]
    world.pay(("a", 0, 2.0**62), ("b", 1, 1.0), ("a", 1, 2.0**62))

    results = [world.materialize(), world.materialize()]

    first, second = (result.error for result in results)
    assert isinstance(first, SumOverflowError)
    assert str(first) == str(second)
    assert first.call.startswith("refresh latest table: ")
    assert "'n_sum_lifetime' of view 'spending' (" in first.call
    assert "card_id='a' as of 2026-01-03T12:00:00Z" in first.found
    assert [result.status for result in results] == ["failed", "failed"]
    (status,) = view_statuses(Manifest.of([view]), world.layout)
    assert (status.state, status.rows, status.last_run, status.error) == (
        *("current", 3),
        *("failed", str(first)),
    )


def test_the_latest_table_of_a_view_without_keys_has_one_row(world: World) -> None:
    view = other(SPENDING, entities=(), schema=(Field("card_id", String),), aggregations=())
    world.views = [other(view, latest=True)]
    world.pay(("a", 0, 1.0), ("b", 1, 2.0))

    world.materialize()

    assert world.latest() == [{"card_id": "b", "as_of": world.now}]


def test_views_run_side_by_side_and_one_that_fails_stops_no_other(world: World) -> None:
    missing = replace(SPENDING.source, name="gone", path="gone")
    world.views = [
        SPENDING,
        other(SPENDING, name="broken", source=missing),
        other(SPENDING, name="wrong", schema=(Field("amount", String),), aggregations=()),
        other(SPENDING, name="third"),
    ]
    world.pay(("a", 0, 1.0))

    results = {result.view: result for result in materialize(world.job)}

    assert {name: result.status for name, result in results.items()} == {
        "broken": "failed",
        "spending": "done",
        "third": "done",
        "wrong": "failed",
    }
    broken, wrong = results["broken"].error, results["wrong"].error
    assert isinstance(broken, SourceError)
    assert str(world.folder / "gone") in broken.found
    assert isinstance(wrong, SourceError)
    assert ["~", "amount", "String", "Float64"] in [
        each.split() for each in wrong.found.split("\n")
    ]
    assert "world.py:" in wrong.call
    assert world.rows() == world.rows(view="third") == [("a", 0, 1.0)]


def test_rows_deleted_in_the_source_are_an_error_until_the_view_is_rebuilt(world: World) -> None:
    world.pay(("a", 0, 1.0), ("b", 0, 1.0))
    world.materialize()
    DeltaTable(world.folder / "payments").delete("card_id = 'a'")

    refused = world.materialize()

    assert refused.status == "failed"
    assert isinstance(refused.error, SourceError)
    assert "`featurestore materialize spending --full`" in refused.error.fix
    assert Runs(world.layout).records()[-1].outcome.error == refused.message
    assert world.materialize(full=True).status == "done"
    assert world.rows() == [("b", 0, 1.0)]


def test_an_unknown_view_is_refused_with_near_names(world: World) -> None:
    with pytest.raises(NotFoundError) as refused:
        materialize(world.job, ["spendign"])

    assert "'spendign'" in refused.value.found
    assert "'spending'?" in refused.value.fix
    assert Tables(world.layout).records() == ()


def test_a_view_that_is_removed_while_a_lock_is_waited_for_stops_no_other(tmp_path: Path) -> None:
    loaded, applied = (
        Manifest.of([SPENDING, other(SPENDING, name="more")]),
        Manifest.of([SPENDING]),
    )
    job = Job(Layout(str(tmp_path)), applied=lambda: applied, loaded=lambda: loaded, spark=fail)

    found = loaded_views(job, ["spending", "more"], is_selected=False)

    assert [view.name for view in found] == ["spending"]
    assert loaded_views(job, ["more"], is_selected=False) == []
    with pytest.raises(NotFoundError):
        loaded_views(job, ["spending", "more"])


def fail() -> NoReturn:
    raise AssertionError


def test_a_view_whose_definition_is_not_applied_is_not_run(world: World) -> None:
    changed = Manifest.of([other(SPENDING, transform="SELECT * FROM {source} WHERE amount > 0")])

    with pytest.raises(RequestError) as differs:
        materialize(replace(world.job, loaded=lambda: changed))
    with pytest.raises(RequestError) as removed:
        materialize(replace(world.job, loaded=lambda: Manifest.of([])))

    assert "'spending' (" in differs.value.found
    assert "'spending'" in removed.value.found
    for error in (differs.value, removed.value):
        assert "`featurestore apply`" in error.fix


def test_two_runs_of_one_view_do_not_overlap(world: World) -> None:
    world.pay(("a", 0, 1.0))

    with (
        view_lock(world.layout, "spending", "r0", NOON),
        pytest.raises(ConflictError, match="run r0"),
    ):
        world.materialize()

    assert Runs(world.layout).records() == ()


def test_events_outside_of_years_1_to_9999_are_left_out_and_counted(world: World) -> None:
    source = replace(PAYMENTS, unit="ms")
    at = pa.array([NOON_MILLIS, 2**62, None, -(2**62)], pa.int64())
    rows = pa.table({"card_id": ["a"] * 4, "at": at, "amount": [1.0, 2.0, 3.0, 4.0]})
    write_deltalake(world.folder / "payments", rows)
    world.views = [other(SPENDING, source=source)]

    built = world.materialize()
    again = world.materialize()

    assert (built.status, built.rows_in, built.rows_out, built.null_rows) == ("done", 4, 1, 3)
    assert again.status == "nothing"
    assert world.rows() == [("a", 0, 1.0)]


@pytest.mark.parametrize(("unit", "millis"), [("s", NOON_MILLIS), ("us", NOON_MILLIS)])
def test_a_unit_that_gives_implausible_times_is_noticed(
    world: World, unit: TimeUnit, millis: int
) -> None:
    rows = pa.table({"card_id": ["a"], "at": pa.array([millis], pa.int64()), "amount": [1.0]})
    write_deltalake(world.folder / "payments", rows)
    world.views = [other(SPENDING, source=replace(PAYMENTS, unit=unit))]

    assert f"check unit={unit!r}" in world.materialize().message


def test_a_view_of_an_empty_table_has_an_empty_table_and_goes_on(world: World) -> None:
    world.pay()
    empty = world.materialize()
    nothing = world.materialize()
    world.pay(("a", 0, 1.0))

    result = world.materialize()

    assert (empty.kind, empty.status, empty.rows_out) == ("build", "done", 0)
    assert nothing.status == "nothing"
    assert (result.kind, result.status, world.rows()) == ("run", "done", [("a", 0, 1.0)])
