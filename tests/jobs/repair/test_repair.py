"""A repair replaces the rows of a range as a full build would, and leaves the others."""

import random
import signal
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable, write_deltalake

from featurestore.definitions.model.types import Field, Float64
from featurestore.errors import SourceError
from featurestore.jobs.doctor.doctor import examine
from featurestore.jobs.maintain.maintain import maintain
from featurestore.jobs.materialize.job import RunResult
from featurestore.jobs.materialize.progress import ProgressEvent
from featurestore.jobs.materialize.start import materialize
from featurestore.jobs.repair.plan import repair_plans
from featurestore.jobs.repair.repair import repair
from featurestore.store.interval import Interval
from featurestore.store.ledger.runs import Runs
from featurestore.store.ledger.tables import Tables
from tests.effort import rounds
from tests.jobs.materialize.test_file_sources import put, source_of
from tests.jobs.soak_figures import FIGURES
from tests.jobs.world import NOON, PAYMENTS, SPENDING, World, other, payments_table

COLUMNS = ("card_id", "hour", "amount", "available_timestamp")


def hours(first: int, end: int) -> Interval:
    return Interval(NOON + timedelta(hours=first), NOON + timedelta(hours=end))


def repaired(world: World, interval: Interval, view: str = "spending") -> RunResult:
    (result,) = repair(world.job, [view], interval)
    return result


def test_a_repair_of_an_undamaged_view_changes_no_row_and_no_position(world: World) -> None:
    world.views = [other(SPENDING, latest=True)]
    world.pay(("a", 0, 1.0), ("a", 0, 1.0), ("b", 2, 2.0), (None, 3, 9.0))
    world.materialize()
    world.pay(("a", 5, 3.0), ("c", None, 4.0))
    world.materialize()
    rows, first = world.rows(*COLUMNS), Tables(world.layout).current("spending")
    world.pay(("b", 1, 7.0))  # not read yet

    result = repaired(world, hours(0, 5))
    again = repaired(world, hours(-9, 100))
    after, latest = world.rows(*COLUMNS), world.latest()
    later = world.materialize()

    assert (result.status, result.kind, result.version) == ("done", "repair", 0)
    assert (result.rows_in, result.rows_out, result.rows_quarantined) == (4, 3, 1)
    assert (again.rows_out, again.status) == (4, "done")
    assert after == rows
    assert {row["card_id"]: row["amount_sum_7d"] for row in latest} == {"a": 5.0, "b": 2.0}
    assert (later.status, later.kind, later.rows_out) == ("done", "run", 1)
    assert world.rows() == sorted([*(row[:3] for row in rows), ("b", 1.0, 7.0)])
    assert first is not None
    states = sorted(build.state for build in Tables(world.layout).records())
    assert states == ["current", "retired", "retired"]
    assert examine(world.job) == []


def test_the_ledger_has_the_range_of_a_repair_and_counts_nulls_of_its_rows(world: World) -> None:
    source = replace(PAYMENTS, unique_by=("card_id", "amount"))
    world.views = [other(SPENDING, source=source)]
    world.pay(("a", 0, None), ("b", 2, None))
    world.materialize()
    interval = hours(1, 3)
    (plan,) = repair_plans(world.job, ["spending"], interval)

    result = repaired(world, interval)

    record = Runs(world.layout).records("spending")[-1]
    assert (record.run_id, record.kind, record.status) == (result.run_id, "repair", "done")
    assert (record.outcome.range_start, record.outcome.range_end) == (
        interval.start,
        interval.end,
    )
    assert (record.outcome.rows_in, record.outcome.rows_out) == (1, 1)
    assert record.outcome.null_unique_rows == 1
    assert (plan.rows, plan.rows_kept, plan.files, plan.rebuilt) == (1, 1, 1, ())
    assert (plan.source_version, plan.source_changed) == (0, False)
    assert plan.bytes > 0


def test_rows_that_were_corrected_in_the_table_of_the_source_are_replaced(world: World) -> None:
    full = other(SPENDING, name="full")
    world.views = [SPENDING, full]
    world.pay(("a", 0, 1.0), ("a", 2, 2.0), ("b", 3, 3.0), ("b", 9, 4.0))
    materialize(world.job)
    table = DeltaTable(world.folder / "payments")
    table.update({"amount": "20.0"}, predicate="amount = 2.0")
    table.delete("amount = 3.0")
    world.pay(("c", 1, 5.0), ("c", 20, 6.0))
    refused = world_run(world, "spending")

    result = repaired(world, hours(1, 5))
    (built,) = materialize(world.job, ["full"], full=True)
    world.pay(("d", 2, 8.0))
    later = world_run(world, "spending")
    materialize(world.job, ["full"])

    assert (refused.status, type(refused.error)) == ("failed", SourceError)
    assert (result.status, built.status, later.status) == ("done", "done", "done")
    assert later.rows_out == 1
    assert world.rows(*COLUMNS) == world.rows(*COLUMNS, view="full")
    assert examine(world.job) == []


def test_a_source_that_changed_outside_of_the_range_is_refused(world: World) -> None:
    world.pay(("a", 0, 1.0), ("a", 2, 2.0), ("b", 9, 4.0))
    world.materialize()
    DeltaTable(world.folder / "payments").update({"amount": "20.0"}, predicate="amount > 1.0")
    rows = world.rows(*COLUMNS)

    narrow = repaired(world, hours(1, 5))
    stored = world.rows(*COLUMNS)
    wide = repaired(world, hours(1, 10))

    assert (narrow.status, type(narrow.error)) == ("failed", SourceError)
    assert narrow.error is not None
    assert "2026-01-01T21:00:00Z" in narrow.error.found
    assert "materialize spending --start 2026-01-01 --end 2026-01-02`" in narrow.error.fix
    assert stored == rows
    assert wide.status == "done"
    assert world.rows() == [("a", 0.0, 1.0), ("a", 2.0, 20.0), ("b", 9.0, 20.0)]


def test_a_value_that_moved_to_another_column_outside_of_the_range_is_a_change(
    world: World,
) -> None:
    world.views = [other(SPENDING, schema=(*SPENDING.schema, Field("fee", Float64)))]
    fees = pa.array([None, 1.0], pa.float64())
    payments = payments_table([("a", 0, 5.0), ("a", 2, 2.0)]).append_column("fee", fees)
    write_deltalake(world.folder / "payments", payments)
    world.materialize()
    moved = {"amount": "fee", "fee": "amount"}
    DeltaTable(world.folder / "payments").update(moved, predicate="amount = 5.0")

    result = repaired(world, hours(1, 5))

    assert (result.status, type(result.error)) == ("failed", SourceError)


def test_an_interrupted_repair_is_recorded_and_changes_nothing(world: World) -> None:
    world.pay(("a", 0, 1.0))
    world.materialize()
    table = world.table().table_uri

    def interrupt(event: ProgressEvent) -> None:
        if event.phase == "reading" and not event.batches:
            signal.raise_signal(signal.SIGINT)
            time.sleep(2)  # the main thread notices it, and stops the repair

    with pytest.raises(KeyboardInterrupt):
        repair(world.job, ["spending"], hours(0, 4), progress=interrupt)

    assert Runs(world.layout).records("spending")[-1].status == "interrupted"
    assert world.table().table_uri == table


def test_a_repair_accepts_changed_columns(world: World) -> None:
    world.views = [other(SPENDING, source=source_of("parquet"), schema_contract="freeze")]
    put(world, "1.parquet", ("a", 0, 1.0))
    world.materialize()
    put(world, "2.parquet", ("b", 9, 2.0))  # not read yet
    corrected = payments_table([("a", 0, 10.0)]).append_column("place", pa.array(["x"]))
    pq.write_table(corrected, world.folder / "files" / "1.parquet")

    refused = repaired(world, hours(0, 4))
    (result,) = repair(world.job, ["spending"], hours(0, 4), accept_schema=True)

    assert (refused.status, type(refused.error)) == ("failed", SourceError)
    assert refused.error is not None
    assert "--accept-schema" in refused.error.fix
    assert (result.status, "place" in result.message) == ("done", True)
    assert world.rows() == [("a", 0.0, 10.0)]


def test_rows_of_a_corrected_file_are_replaced_and_the_next_run_goes_on(world: World) -> None:
    world.views = [other(SPENDING, source=source_of("parquet"))]
    put(world, "1.parquet", ("a", 0, 1.0), ("a", 2, 2.0))
    renamed = put(world, "2.parquet", ("b", 3, 3.0))
    world.materialize()
    put(world, "1.parquet", ("a", 0, 1.0), ("a", 2, 20.0), ("c", 2, 5.0))
    renamed.rename(renamed.with_name("0.parquet"))
    refused = world.materialize()

    result = repaired(world, hours(1, 3))
    nothing = world.materialize()
    put(world, "3.parquet", ("d", 2, 8.0))
    later = world.materialize()
    again = repaired(world, hours(0, 9))

    assert (refused.status, type(refused.error)) == ("failed", SourceError)
    assert (result.status, result.rows_out) == ("done", 2)
    assert (nothing.status, later.status, later.rows_out) == ("nothing", "done", 1)
    assert (again.status, again.rows_out) == ("done", 5)
    assert world.rows() == [
        ("a", 0.0, 1.0),
        ("a", 2.0, 20.0),
        ("b", 3.0, 3.0),
        ("c", 2.0, 5.0),
        ("d", 2.0, 8.0),
    ]
    assert examine(world.job) == []


def world_run(world: World, view: str) -> RunResult:
    (result,) = materialize(world.job, [view])
    return result


def test_derived_views_are_named_and_built_again(world: World) -> None:
    derived = other(SPENDING, name="derived", source=SPENDING, aggregations=())
    world.views = [SPENDING, derived]
    world.pay(("a", 0, 1.0), ("b", 2, 2.0))
    materialize(world.job)
    (plan,) = repair_plans(world.job, ["spending"], hours(1, 3))

    own = repaired(world, hours(1, 3), "derived")
    upstream = repaired(world, hours(1, 3))
    built = world_run(world, "derived")

    assert plan.rebuilt == ("derived",)
    assert (own.status, own.rows_out) == ("done", 1)
    assert (upstream.status, "derived" in upstream.message) == ("done", True)
    assert (built.kind, built.rows_out) == ("build", 2)


def test_a_range_without_rows_makes_no_table(world: World) -> None:
    world.pay(("a", 0, 1.0))
    world.materialize()
    table = world.table().table_uri

    result = repaired(world, hours(20, 30))

    assert (result.status, result.rows_in) == ("nothing", 0)
    assert world.table().table_uri == table
    assert examine(world.job) == []


def test_all_rows_of_a_table_may_be_gone(world: World) -> None:
    world.pay(("a", 0, 1.0), ("a", None, 2.0))
    world.materialize()
    DeltaTable(world.folder / "payments").delete("amount = 1.0")

    result = repaired(world, hours(0, 1))
    world.pay(("b", 0, 2.0))
    later = world.materialize()

    assert (result.status, result.rows_out) == ("done", 0)
    assert (later.status, world.rows()) == ("done", [("b", 0.0, 2.0)])
    assert examine(world.job) == []


def test_what_repairs_leave_is_removed_by_maintenance(world: World) -> None:
    world.pay(("a", 0, 1.0))
    world.materialize()
    repaired(world, hours(20, 30))
    repaired(world, hours(0, 1))
    world.now += timedelta(days=8)

    done = maintain(world.job, ["spending"])

    assert sum(len(each.builds_removed) for each in done) == 1
    assert sorted(path.name for path in Path(world.layout.builds("spending")).iterdir()) == [
        Path(world.table().table_uri).name
    ]
    assert world.rows() == [("a", 0.0, 1.0)]


@pytest.mark.slow
@pytest.mark.soak
def test_a_repair_of_any_range_changes_no_row(world: World) -> None:
    draw = random.Random(rounds(7, 8))
    world.files_per_batch = 1
    for _ in range(3):
        world.pay(*((draw.choice("abc"), draw.randint(-5, 5), draw.random()) for _ in range(5)))
    world.materialize()
    rows = world.rows(*COLUMNS, "_row_hash")

    for _ in range(rounds(1, 40)):
        first = draw.randint(-6, 5)
        repaired(world, hours(first, draw.randint(first + 1, 7)))

        FIGURES.compare(rows, world.rows(*COLUMNS, "_row_hash"))
        assert world.rows(*COLUMNS, "_row_hash") == rows
    assert world.materialize().status == "nothing"
