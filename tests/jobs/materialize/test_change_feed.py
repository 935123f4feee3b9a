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
from featurestore.jobs.materialize.materialize import materialize
from featurestore.query.compile import compile_view
from featurestore.times import to_micros
from tests.jobs.changing import LAST, ORDERS, Order, Orders, answers, at
from tests.jobs.world import World, other

FIELDS = "order_id, card_id, at, amount"
CARDS = ("a", "b", "c")


def kept(rows: DataFrame) -> DataFrame:
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
    other(LAST, name="kept", transform=kept),
    other(LAST, name="chosen", transform=f"SELECT {FIELDS} FROM {{source}} WHERE amount < 40"),
    TOTAL,
]


@pytest.fixture
def orders(world: World) -> Orders:
    world.views = [LAST]
    world.now = at(100)
    return Orders(world.folder)


def changed_in_every_way(orders: Orders, run: object = None) -> None:
    """Change orders after the first snapshot; ``run`` is called between the commits."""
    between = run if callable(run) else lambda: None
    orders.update(20, ("o1", "a", 1, 11.0))  # in place
    orders.update(21, ("o2", "b", 2, 2.0))  # to another card
    between()
    orders.delete(22, "o3")
    orders.insert(23, ("o3", "a", 3.5, 33.0))  # again, at another time
    orders.update(24, ("o5", "c", 0, 5.0), ("o4", "a", 9, 44.0), ("o6", "b", 30, 6.0))
    between()
    orders.update(25, ("o6", "b", 26, 66.0))  # moved nearer before it happened
    orders.delete(26, "o1", "o2")
    between()


def started(orders: Orders) -> None:
    """The orders of the first snapshot."""
    orders.insert(10, ("o1", "a", 1, 1.0), ("o2", "a", 2, 2.0))
    orders.insert(11, ("o3", "a", 3, 3.0), ("o4", "b", 4, 4.0))


def spine_of(orders: Orders) -> list[tuple[str, float]]:
    return [(card, hour) for card in CARDS for hour in orders.moments()]


def is_true(
    orders: Orders, view: FeatureView, table: DeltaTable, snapshot: float, below: float = 1e9
) -> None:
    """Assert that the answers at all moments are what the source's table said then."""
    spine = spine_of(orders)
    told = answers(view, table, spine)
    truth = [orders.truth(card, hour, snapshot=snapshot, below=below) for card, hour in spine]
    assert dict(zip(spine, told, strict=True)) == dict(zip(spine, truth, strict=True))


def test_answers_are_what_the_source_said_at_each_moment(world: World, orders: Orders) -> None:
    world.views = WAYS
    started(orders)
    materialize(world.job)

    changed_in_every_way(orders, run=lambda: materialize(world.job))

    for view in WAYS[:-1]:
        below = 40 if view.name == "chosen" else 1e9
        is_true(orders, view, world.table(view.name), snapshot=11, below=below)
    assert world.table("last").version() == 3
    by_key = {row["card_id"]: row["amount_sum_lifetime"] for row in world.latest("total")}
    now = answers(TOTAL, world.table("total"), [(card, 100) for card in CARDS])
    assert now == [by_key[card] for card in CARDS] == [77.0, 66.0, 5.0]


def test_stored_rows_answer_as_the_rules_do_on_the_same_changes(
    world: World, orders: Orders
) -> None:
    started(orders)
    world.materialize()
    changed_in_every_way(orders)
    world.materialize()

    query = compile_view(LAST)
    spine = [{"card_id": c, "event_timestamp": to_micros(at(h))} for c, h in spine_of(orders)]
    told = answers(LAST, world.table("last"), spine_of(orders))

    assert told == reference.answer(query, spine, equivalent_rows(orders, snapshot=11))["amount"]


def equivalent_rows(orders: Orders, snapshot: float) -> list[dict[str, object]]:
    """The rows that the rules see: those of the snapshot, and both sides of each later change."""
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
    known = None if hour is None else to_micros(at(hour))
    return {
        "card_id": order[1],
        "event_timestamp": event,
        "available_timestamp": known,
        "_seq": sequence,
        "_deleted": deleted,
        "order_id": order[0],
        "amount": order[3],
        "_row_hash": sequence,
    }


def test_any_changes_in_any_number_of_runs_are_followed(world: World, orders: Orders) -> None:
    draw = Random(4)
    world.views = [LAST, WAYS[2]]
    started(orders)
    materialize(world.job)
    for hour in range(20, 40):
        change_something(orders, hour, draw)
        if draw.random() < 0.2:
            materialize(world.job)

    materialize(world.job)

    for view, below in zip(world.views, (1e9, 40), strict=True):
        is_true(orders, view, world.table(view.name), snapshot=11, below=below)


def change_something(orders: Orders, hour: int, draw: Random) -> None:
    """One commit: orders deleted, or some inserted or changed, their events past or to come."""
    there = sorted(orders.state(hour))
    if len(there) > 1 and draw.random() < 0.3:
        orders.delete(hour, *draw.sample(there, 2))
        return
    numbers = draw.sample(range(8), 3)
    orders.update(hour, *(some_order(number, draw) for number in numbers))


def some_order(number: int, draw: Random) -> Order:
    # No two events at one time: which of them wins would be for the hash to say.
    time = draw.randrange(60) + (number + 1) / 16
    return f"o{number}", draw.choice(CARDS), time, float(draw.randrange(80))


def failing(rows: DataFrame) -> DataFrame:
    """A transform that fails in the second batch of a build, while a file says so."""
    order = rows.select("order_id").orderBy("order_id").first()
    if FAIL.exists() and order is not None and order[0] > "o1":
        raise RuntimeError("stopped on the way")
    return rows


FAIL = Path("nowhere")


def test_a_build_stopped_in_its_first_snapshot_goes_on_and_tells_it_from_later_changes(
    world: World, orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.jobs.materialize.test_change_feed.FAIL", world.folder / "fail")
    (world.folder / "fail").touch()
    world.views, world.files_per_batch = [other(LAST, transform=failing)], 1
    for hour in (1, 2, 3):
        orders.insert(10 + hour, (f"o{hour}", "a", hour, float(hour)))

    stopped = world.materialize()

    assert (stopped.status, "stopped on the way" in stopped.message) == ("failed", True)
    (world.folder / "fail").unlink()
    orders.update(20, ("o2", "b", 2, 22.0))
    orders.delete(21, "o3")
    went_on = world.materialize()
    assert (went_on.kind, went_on.table_id) == ("build", stopped.table_id)
    is_true(orders, LAST, world.table("last"), snapshot=13)


def test_a_lost_checkpoint_resumes_with_changes_and_a_rebuild_begins_with_a_snapshot(
    world: World, orders: Orders
) -> None:
    started(orders)
    world.materialize()
    shutil.rmtree(world.folder / "store" / "checkpoints")
    changed_in_every_way(orders)

    resumed = world.materialize()

    assert resumed.kind == "run"
    is_true(orders, LAST, world.table("last"), snapshot=11)

    rebuilt = world.materialize(full=True)

    assert (rebuilt.kind, rebuilt.rows_out) == ("build", 4)
    is_true(orders, LAST, world.table("last"), snapshot=26)


def test_available_times_and_delays_come_on_top(world: World, orders: Orders) -> None:
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

    line = f"ALTER TABLE delta.`{orders.place}` SET TBLPROPERTIES (delta.enableChangeDataFeed"
    assert refused.status == "failed"
    assert line in refused.message


def test_changes_that_were_vacuumed_are_told_and_a_rebuild_goes_on(
    world: World, orders: Orders
) -> None:
    started(orders)
    world.materialize()
    orders.update(20, ("o1", "a", 1, 11.0))
    for file in orders.place.glob("_change_data/*.parquet"):
        file.unlink()

    refused = world.materialize()

    assert refused.status == "failed"
    assert "no longer holds all changes since the last run" in refused.message
    assert "materialize last --full" in refused.message
    assert world.materialize(full=True).status == "done"
    is_true(orders, LAST, world.table("last"), snapshot=20)


def deduplicated(rows: DataFrame) -> DataFrame:
    return rows.dropDuplicates(["order_id"])


def test_a_transform_that_gathers_rows_is_refused(world: World, orders: Orders) -> None:
    world.views = [other(LAST, transform=deduplicated)]
    orders.insert(10, ("o1", "a", 1, 1.0))

    refused = world.materialize()

    assert refused.status == "failed"
    assert "it does not work row by row (its plan has the operator Dedup" in refused.message
    assert "world.py:" in refused.message
