"""Sources that are changed in place: corrections, moves and deletes reach the features."""

import shutil
from dataclasses import replace
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest
from deltalake import DeltaTable
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.view import FeatureView
from featurestore.engines import reference
from featurestore.errors import MaterializationError, SourceError
from featurestore.jobs.materialize.start import materialize
from featurestore.query.compile import compile_view
from featurestore.times import to_micros
from tests.jobs.changing import LAST, ORDERS, Order, Orders, answers, at
from tests.jobs.world import World, other

FIELDS = "order_id, card_id, at, amount"
CARDS = ("a", "b", "c")


def all_columns(rows: DataFrame) -> DataFrame:
    """A transform that keeps all columns."""
    return rows.withColumn("amount", F.col("amount") * 1).where("amount >= 0")


TOTAL = other(
    LAST,
    name="total",
    aggregations=(Aggregation("amount", "sum", windows=("lifetime",)),),
    latest=True,
)
WAYS = [
    LAST,
    other(LAST, name="kept", transform=all_columns),
    other(LAST, name="chosen", transform=f"SELECT {FIELDS} FROM {{source}} WHERE amount < 40"),
    TOTAL,
]


@pytest.fixture
def orders(world: World) -> Orders:
    world.views = [LAST]
    world.now = at(100)
    return Orders(world.folder)


def change_in_every_way(orders: Orders, run: object = None) -> None:
    """Change orders after the first snapshot, with calls of ``run`` between the commits."""
    between = run if callable(run) else lambda: None
    orders.update(20, ("o1", "a", 1, 11.0))  # in place
    orders.update(21, ("o2", "b", 2, 2.0))  # to another card
    between()
    orders.delete(22, "o3")
    orders.insert(23, ("o3", "a", 3.5, 33.0))  # again, at another time
    orders.update(24, ("o5", "c", 0, 5.0), ("o4", "a", 9, 44.0), ("o6", "b", 30, 6.0))
    between()
    orders.update(25, ("o6", "b", 26, 66.0))  # moved to an earlier time before it happened
    orders.delete(26, "o1", "o2")
    between()


def insert_first(orders: Orders) -> None:
    """Insert the orders of the first snapshot."""
    orders.insert(10, ("o1", "a", 1, 1.0), ("o2", "a", 2, 2.0))
    orders.insert(11, ("o3", "a", 3, 3.0), ("o4", "b", 4, 4.0))


def spine_of(orders: Orders) -> list[tuple[str, float]]:
    return [(card, hour) for card in CARDS for hour in orders.moments()]


def assert_true(
    orders: Orders, view: FeatureView, table: DeltaTable, snapshot: float, below: float = 1e9
) -> None:
    """Assert that the answers at each moment are those of the source's table at that moment."""
    spine = spine_of(orders)
    answered = answers(view, table, spine)
    truth = [orders.truth(card, hour, snapshot=snapshot, below=below) for card, hour in spine]
    assert dict(zip(spine, answered, strict=True)) == dict(zip(spine, truth, strict=True))


@pytest.mark.slow
def test_answers_at_each_moment_are_those_of_the_source_at_that_moment(
    world: World, orders: Orders
) -> None:
    world.views = WAYS
    insert_first(orders)
    materialize(world.job)

    change_in_every_way(orders, run=lambda: materialize(world.job))

    for view in WAYS[:-1]:
        below = 40 if view.name == "chosen" else 1e9
        assert_true(orders, view, world.table(view.name), snapshot=11, below=below)
    assert world.table("last").version() == 3
    by_key = {row["card_id"]: row["amount_sum_lifetime"] for row in world.latest("total")}
    now = answers(TOTAL, world.table("total"), [(card, 100) for card in CARDS])
    assert now == [by_key[card] for card in CARDS] == [77.0, 66.0, 5.0]


@pytest.mark.slow
def test_random_changes_in_several_runs_reach_the_features(world: World, orders: Orders) -> None:
    random = Random(4)
    world.views = [LAST, WAYS[2]]
    insert_first(orders)
    materialize(world.job)
    for hour in range(20, 40):
        change_something(orders, hour, random)
        if random.random() < 0.2:
            materialize(world.job)

    materialize(world.job)

    for view, below in zip(world.views, (1e9, 40), strict=True):
        assert_true(orders, view, world.table(view.name), snapshot=11, below=below)


def change_something(orders: Orders, hour: int, random: Random) -> None:
    """Make one commit: delete orders, or insert and change some with past or future events."""
    ids = sorted(orders.state(hour))
    if len(ids) > 1 and random.random() < 0.3:
        orders.delete(hour, *random.sample(ids, 2))
        return
    numbers = random.sample(range(8), 3)
    orders.update(hour, *(some_order(number, random) for number in numbers))


def some_order(number: int, random: Random) -> Order:
    # Times are distinct, so that the row hash never decides which event is the newest.
    time = random.randrange(60) + (number + 1) / 16
    return f"o{number}", random.choice(CARDS), time, float(random.randrange(80))


def failing(rows: DataFrame) -> DataFrame:
    """A transform that fails in the second batch of a build, as long as a file exists."""
    order = rows.select("order_id").orderBy("order_id").first()
    if FAIL.exists() and order is not None and order[0] > "o1":
        raise RuntimeError("stopped by the test")
    return rows


FAIL = Path("nowhere")


def test_a_build_stopped_in_its_first_snapshot_continues_and_separates_it_from_later_changes(
    world: World, orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.jobs.materialize.test_change_feed.FAIL", world.folder / "fail")
    (world.folder / "fail").touch()
    world.views, world.files_per_batch = [other(LAST, transform=failing)], 1
    for hour in (1, 2, 3):
        orders.insert(10 + hour, (f"o{hour}", "a", hour, float(hour)))

    stopped = world.materialize()

    assert stopped.status == "failed"
    assert isinstance(stopped.error, MaterializationError)
    assert "RuntimeError: stopped by the test" in stopped.error.found
    (world.folder / "fail").unlink()
    orders.update(20, ("o2", "b", 2, 22.0))
    orders.delete(21, "o3")
    continued = world.materialize()
    assert (continued.kind, continued.table_id) == ("build", stopped.table_id)
    assert_true(orders, LAST, world.table("last"), snapshot=13)


def test_a_lost_checkpoint_resumes_with_the_changes_and_a_rebuild_begins_with_a_snapshot(
    world: World, orders: Orders
) -> None:
    insert_first(orders)
    world.materialize()
    shutil.rmtree(world.folder / "store" / "checkpoints")
    change_in_every_way(orders)

    resumed = world.materialize()

    assert resumed.kind == "run"
    assert_true(orders, LAST, world.table("last"), snapshot=11)
    spine = [{"card_id": c, "event_timestamp": to_micros(at(h))} for c, h in spine_of(orders)]
    expected = reference.answer(compile_view(LAST), spine, equivalent_rows(orders, snapshot=11))
    assert answers(LAST, world.table("last"), spine_of(orders)) == expected["amount"]

    rebuilt = world.materialize(full=True)

    assert (rebuilt.kind, rebuilt.rows_out) == ("build", 4)
    assert_true(orders, LAST, world.table("last"), snapshot=26)


def equivalent_rows(orders: Orders, snapshot: float) -> list[dict[str, object]]:
    """The reference's rows: those of the snapshot, and both sides of each later change."""
    before = orders.state(snapshot)
    rows = [_row(order, None, 1) for order in before.values()]
    for number, (hour, state) in enumerate(orders.states):
        changed = [name for name in {*before, *state} if before.get(name) != state.get(name)]
        for name in changed if hour > snapshot else ():
            if name in before:
                rows.append(_row(before[name], hour, 2 * number, deleted=True))
            if name in state:
                rows.append(_row(state[name], hour, 2 * number + 1))
        before = state if hour > snapshot else before
    return rows


def _row(
    order: tuple, hour: float | None, sequence: int, *, deleted: bool = False
) -> dict[str, object]:
    event = to_micros(at(order[2]))
    available = None if hour is None else to_micros(at(hour))
    return {
        "card_id": order[1],
        "event_timestamp": event,
        "available_timestamp": available,
        "_seq": sequence,
        "_deleted": deleted,
        "order_id": order[0],
        "amount": order[3],
        "_row_hash": sequence,
    }


def test_available_times_and_delays_add_to_the_time_of_the_commit(
    world: World, orders: Orders
) -> None:
    source = replace(ORDERS, available_timestamp_field="at")
    world.views = [other(LAST, source=source, available_delay="30m")]
    orders.insert(10, ("o1", "a", 1, 1.0))
    world.materialize()
    orders.insert(20, ("o2", "b", 2, 2.0), ("o3", "b", 40, 3.0))
    orders.delete(21, "o1")

    world.materialize()

    rows = pa.table(world.table("last").scan()).to_pylist()
    stored = sorted((row["available_timestamp"], row["order_id"], row["_deleted"]) for row in rows)
    assert stored == [
        (at(1.5), "o1", False),
        (at(20.5), "o2", False),
        (at(21.5), "o1", True),
        (at(40.5), "o3", False),
    ]


def test_a_table_that_records_no_changes_is_refused_with_the_line_to_run(
    world: World, orders: Orders
) -> None:
    orders.enabled = False
    orders.insert(10, ("o1", "a", 1, 1.0))

    refused = world.materialize()

    assert refused.status == "failed"
    assert isinstance(refused.error, SourceError)
    assert str(orders.path) in refused.error.found
    line = f"ALTER TABLE delta.`{orders.path}` SET TBLPROPERTIES (delta.enableChangeDataFeed"
    assert line in refused.error.fix


def test_vacuumed_changes_are_an_error_with_the_command_that_rebuilds(
    world: World, orders: Orders
) -> None:
    insert_first(orders)
    world.materialize()
    orders.update(20, ("o1", "a", 1, 11.0))
    for file in orders.path.glob("_change_data/*.parquet"):
        file.unlink()

    refused = world.materialize()

    assert refused.status == "failed"
    assert isinstance(refused.error, SourceError)
    assert "change feed of source 'orders'" in refused.error.found
    assert "`featurestore materialize last --full`" in refused.error.fix
    assert world.materialize(full=True).status == "done"
    assert_true(orders, LAST, world.table("last"), snapshot=20)


def deduplicated(rows: DataFrame) -> DataFrame:
    return rows.dropDuplicates(["order_id"])


def test_a_transform_that_combines_rows_is_refused(world: World, orders: Orders) -> None:
    world.views = [other(LAST, transform=deduplicated)]
    orders.insert(10, ("o1", "a", 1, 1.0))

    refused = world.materialize()

    assert refused.status == "failed"
    assert isinstance(refused.error, MaterializationError)
    assert "'last' (" in refused.error.call
    assert "world.py:" in refused.error.call
    assert " Deduplicate." in refused.error.found
