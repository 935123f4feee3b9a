"""Views that are derived from other views' stored rows."""

import shutil
from dataclasses import replace

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore.client.preview.view import preview_view
from featurestore.client.status import view_statuses
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.types import Field, String
from featurestore.errors import MaterializationError, SourceError
from featurestore.jobs.materialize.job import RunResult
from featurestore.jobs.materialize.start import materialize
from featurestore.store.ledger.runs import Runs
from tests.jobs.changing import LAST, Orders, answers, as_spine, at
from tests.jobs.world import PAYMENTS, SPENDING, World, moment_of, other

BAND = Entity("band", join_keys=(Field("band", String),))


def doubled(rows: DataFrame) -> DataFrame:
    """Double the amount, and set the event to its day's beginning."""
    return rows.withColumn("amount", F.col("amount") * 2).withColumn(
        "event_timestamp", F.date_trunc("day", "event_timestamp")
    )


UPSTREAM = other(SPENDING, available_delay="1h")
BY_DAY = other(SPENDING, name="by_day", source=UPSTREAM, transform=doubled, available_delay="30m")
BY_BAND = other(
    BY_DAY,
    name="by_band",
    entities=(BAND,),
    source=BY_DAY,
    transform="SELECT _row_metadata, event_timestamp, amount, CASE WHEN amount < 10 THEN 'low' "
    "ELSE 'high' END AS band FROM {source} WHERE amount > 2",
)
CHAIN = [UPSTREAM, BY_DAY, BY_BAND]
STORED = ("event_timestamp", "available_timestamp", "amount", "_row_hash")


def rows_of(world: World) -> list[list[tuple[object, ...]]]:
    return [world.rows(*STORED, view=view.name) for view in CHAIN]


def by_name(world: World, *names: str, **options: object) -> dict[str, RunResult]:
    return {result.view: result for result in materialize(world.job, names or None, **options)}


@pytest.mark.slow
def test_runs_of_a_chain_equal_its_build_and_no_row_is_available_too_early(world: World) -> None:
    world.views = [*reversed(CHAIN)]
    world.pay(("a", 0, 1.0), ("a", 5, 5.0))
    first = by_name(world)
    world.pay(("b", -30, 2.0), ("a", 6, 3.0))
    second = by_name(world)
    shutil.rmtree(world.folder / "store" / "checkpoints")
    world.pay(("c", 7, 1.5))
    third = by_name(world)

    in_runs = rows_of(world)
    rebuilt = by_name(world, full=True)

    assert [*first] == ["by_band", "by_day", "spending"]
    assert [r["by_band"].kind for r in (first, second, third)] == ["build", "run", "run"]
    assert [r["by_band"].rows_out for r in (first, second, third)] == [1, 2, 1]
    assert {result.kind for result in rebuilt.values()} == {"build"}
    assert rows_of(world) == in_runs
    available = dict(world.rows("amount", "available_timestamp", view="by_day"))
    assert available[2.0] == moment_of(0 + 1 + 0.5)  # an hour upstream, half an hour of its own
    assert world.rows("band", "amount", view="by_band") == [
        ("high", 10.0),
        ("low", 3.0),
        ("low", 4.0),
        ("low", 6.0),
    ]


def test_a_derived_view_is_made_from_its_upstream_views_current_table(world: World) -> None:
    world.views = [UPSTREAM, BY_DAY]
    world.pay(("a", 0, 1.0))

    [alone] = materialize(world.job, ["by_day"])
    assert alone.status == "failed"
    assert isinstance(alone.error, SourceError)
    assert "'spending'" in alone.error.found
    assert "`featurestore materialize spending by_day`" in alone.error.fix

    by_name(world)
    world.pay(("b", 1, 2.0))
    [nothing] = materialize(world.job, ["by_day"])
    assert nothing.message.endswith("version 0 of view 'spending'")
    by_name(world, "spending", full=True)
    states = {v.view: v.state for v in view_statuses(world.job.applied(), world.layout)}
    assert states == {"by_day": "outdated", "spending": "current"}

    [anew] = materialize(world.job, ["by_day"])

    assert (anew.kind, anew.rows_out) == ("build", 2)
    status = {v.view: v for v in view_statuses(world.job.applied(), world.layout)}["by_day"]
    assert (status.state, status.derived_from) == ("current", "spending")
    # A view that is not applied is previewed from the same table.
    tried = other(BY_DAY, name="tried", transform=None, available_delay="0s")
    spine = as_spine([("a", 2), ("b", 0), ("b", 2)])
    shown = preview_view(tried, spine, world.layout, world.spark).to_arrow()
    assert shown["amount_sum_7d"].to_pylist() == [1.0, None, 2.0]


def test_views_derived_from_a_view_that_fails_are_skipped_with_the_reason(world: World) -> None:
    broken = other(UPSTREAM, source=replace(PAYMENTS, name="gone", path="gone"))
    day = other(BY_DAY, source=broken)
    world.views = [broken, day, other(BY_BAND, source=day), other(SPENDING, name="fine")]
    world.pay(("a", 0, 1.0))

    results = by_name(world)

    assert {name: result.status for name, result in results.items()} == {
        "by_band": "skipped",
        "by_day": "skipped",
        "fine": "done",
        "spending": "failed",
    }
    assert isinstance(results["spending"].error, SourceError)
    skipped = results["by_day"].message
    assert skipped.startswith("skipped: ")
    assert "'spending' failed" in skipped
    assert results["spending"].message not in skipped
    assert "'by_day' was skipped" in results["by_band"].message
    last = Runs(world.layout).records("by_day")[-1]
    assert (last.status, last.outcome.error) == ("skipped", results["by_day"].message)


def banded(rows: DataFrame) -> DataFrame:
    return rows.where("amount < 60").withColumn(
        "band", F.when(F.col("amount") < 10, "low").otherwise("high")
    )


def test_rows_that_a_change_feed_retracts_are_retracted_under_other_keys_too(world: World) -> None:
    bands = other(LAST, name="bands", source=LAST, entities=(BAND,), transform=banded)
    world.views, world.now = [LAST, bands], at(100)
    orders = Orders(world.folder)
    orders.insert(10, ("o1", "a", 1, 1.0), ("o2", "a", 2, 20.0))
    by_name(world)
    orders.update(20, ("o1", "a", 1, 11.0), ("o3", "b", 3, 3.0))
    orders.update(21, ("o2", "a", 2, 2.0))
    by_name(world)
    orders.update(22, ("o3", "c", 3, 33.0))
    orders.update(23, ("o2", "a", 2, 99.0))
    orders.delete(24, "o1")
    by_name(world)

    spine = [(band, hour) for band in ("low", "high") for hour in orders.moments()]
    answered = answers(bands, world.table("bands"), spine, key="band")

    def truth(band: str, hour: float) -> float | None:
        state = orders.state(max(hour, 10)).values()
        visible = [order for order in state if order[2] <= hour and order[3] < 60]
        in_band = [order for order in visible if (order[3] < 10) == (band == "low")]
        return max(in_band, key=lambda order: order[2])[3] if in_band else None

    assert dict(zip(spine, answered, strict=True)) == {row: truth(*row) for row in spine}


@pytest.mark.parametrize(
    ("transform", "part"),
    [
        ("SELECT card_id, event_timestamp, amount FROM {source}", "'_row_metadata'"),
        ("SELECT * FROM {source} WHERE amount > 1", " Filter."),
    ],
    ids=["drops row metadata", "filters revisions"],
)
def test_a_transform_after_which_rows_cannot_be_retracted_is_refused(
    world: World, transform: str, part: str
) -> None:
    revised = other(SPENDING, source=replace(PAYMENTS, unique_by=("amount",)))
    world.views = [revised, other(SPENDING, name="made", source=revised, transform=transform)]
    world.pay(("a", 0, 1.0))

    made = by_name(world)["made"]

    assert made.status == "failed"
    assert isinstance(made.error, MaterializationError)
    assert "'made' (" in made.error.call
    assert "world.py:" in made.error.call
    assert part in made.error.found
