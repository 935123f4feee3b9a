"""A repair checks the rows of its range, and leaves the quarantine of the others."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandera.polars as pandera
import polars as pl
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from featurestore.definitions.model.expectations import Expectations
from featurestore.errors import DataQualityError
from featurestore.jobs.doctor.doctor import examine
from featurestore.jobs.materialize.progress import ProgressEvent
from featurestore.jobs.quarantine.release import release
from featurestore.jobs.quarantine.rows import quarantined_rows
from featurestore.jobs.repair.repair import repair
from featurestore.store.ledger.tables import Tables
from tests.jobs.repair.test_repair import hours, repaired
from tests.jobs.world import NOON, SPENDING, World, other

TIMES = ("amount", "available_timestamp")


def at_most(amount: int) -> object:
    return pandera.DataFrameSchema(
        {"amount": pandera.Column(pl.Float64, pandera.Check.le(amount), nullable=True)}
    )


def states(world: World) -> list[tuple[object, ...]]:
    rows = quarantined_rows(world.layout, world.job.applied(), "spending")
    return sorted((row.values["amount"], row.state) for row in rows)


@pytest.mark.slow
def test_rows_of_the_range_are_checked_again_and_a_release_stays_a_release(world: World) -> None:
    world.views = [other(SPENDING, expectations=at_most(100))]
    world.pay(("a", 0, 5.0), ("a", 1, 101.0), ("a", 2, 102.0), ("b", 8, 103.0), (None, None, 7.0))
    world.materialize()
    world.views = [other(SPENDING, expectations=at_most(101))]
    world.now += timedelta(hours=1)
    seen: list[tuple[str, ...]] = []
    observed = replace(
        world.job, on_run=lambda _, run, start: seen.append((run.kind, run.status, start))
    )
    released = release(observed, "spending")

    unchanged = repaired(world, hours(0, 3))
    before = (world.rows(*TIMES), states(world))
    world.views = [other(SPENDING, expectations=at_most(1000))]
    changed = repaired(world, hours(0, 3))
    again = repaired(world, hours(-1, 4))
    later = world.materialize()

    assert released.rows_out == 1
    assert seen == [("release", "done", "unseen")]
    assert (unchanged.rows_out, unchanged.rows_quarantined) == (2, 1)
    times = [(5.0, NOON), (101.0, world.now)]
    quarantined = [(103.0, "quarantined")]
    assert before == (
        times,
        [(7.0, "quarantined"), (101.0, "released"), (102.0, "quarantined"), *quarantined],
    )
    assert (changed.rows_out, changed.rows_quarantined) == (3, 0)
    assert (again.rows_out, later.status) == (3, "nothing")
    assert world.rows(*TIMES) == [*times, (102.0, NOON + timedelta(hours=2))]
    assert states(world) == [(7.0, "quarantined"), (101.0, "released"), *quarantined]
    assert examine(world.job) == []


def test_expectations_stop_a_repair(world: World) -> None:
    world.pay(("a", 0, 5.0), ("a", 1, 101.0))
    world.materialize()
    world.views = [other(SPENDING, expectations=Expectations(at_most(100), max_bad_share=0.1))]

    (stopped,) = repair(world.job, ["spending"], hours(0, 3))

    assert (stopped.status, type(stopped.error)) == ("failed", DataQualityError)
    assert stopped.error is not None
    assert "quarantine show" not in stopped.error.fix  # which opens the present table's
    quarantines = Path(world.layout.quarantine("spending", stopped.table_id)).parent
    assert not quarantines.exists()
    assert world.rows() == [("a", 0.0, 5.0), ("a", 1.0, 101.0)]


def test_bad_rows_of_another_process_that_is_at_work_are_left_to_the_next_run(
    world: World,
) -> None:
    world.pay((None, 0, 9.0), ("a", 1, 1.0))
    world.materialize()
    record = Tables(world.layout).current("spending")
    assert record is not None
    quarantine = world.layout.quarantine("spending", record.table_id)
    rows = pa.table(DeltaTable(quarantine).to_pyarrow_table())
    later = pa.array([1], rows.schema.field("batch_id").type)
    index = rows.schema.get_field_index("batch_id")

    def put(event: ProgressEvent) -> None:
        """Put rows of the next batch into the quarantine, as in a store without locks."""
        if event.message:
            write_deltalake(quarantine, rows.set_column(index, "batch_id", later), mode="append")

    [result] = repair(world.job, ["spending"], hours(1, 2), progress=put)

    assert result.status == "done"
    assert states(world) == [(9.0, "quarantined")]
