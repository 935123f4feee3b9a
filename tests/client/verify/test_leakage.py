"""Each leak has its cause, and the fix for it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given

import featurestore as fs
from featurestore.client.verify.leakage import Cause, causes_of, past_value
from featurestore.client.verify.values import same_value, value_or_overflow
from featurestore.definitions.model.types import Float64, Int64
from featurestore.engines import reference
from featurestore.query.nodes import Aggregate, Column, KeyBinding, Rows, ViewQuery, Window
from tests.client.shop import DEFINITIONS, HOUR, at, write_view
from tests.effort import examples
from tests.engines.kernel.worlds import World, worlds
from tests.tables import feature_table

X = Column("x", "x", Float64)
REVISED = Rows(unique_by=("n",), has_deleted=True)
BY_ID = (KeyBinding("id", "card", Int64),)


def row(event: int, n: int = 1, *, x: float = 1.0, deleted: bool = False) -> dict[str, object]:
    return {"id": 1, "event_timestamp": event, "available_timestamp": event, "n": n, "x": x,
            "_deleted": deleted, "_row_hash": event}  # fmt: skip


def causes(
    stored: Sequence[dict], feature: Column | Aggregate = X, *, strict: bool = False
) -> tuple[Cause, ...]:
    parts = {"columns": (X,)} if isinstance(feature, Column) else {"aggregates": (feature,)}
    view = ViewQuery("v", keys=BY_ID, timestamp_field="at", rows=REVISED, strict=strict, **parts)
    return causes_of(view, feature, {"card": 1, "at": 10}, stored)


def total(window: Window) -> Aggregate:
    kind = {"column": "x", "dtype": Float64, "function": "sum", "result": Float64}
    return Aggregate("total", window=window, **kind)


@pytest.mark.parametrize(
    ("stored", "feature", "strict", "expected"),
    [
        ([row(5), row(10, 2)], X, False, (Cause.winner,)),
        ([row(5, 1), row(10, 1)], X, False, (Cause.winner, Cause.arrival)),
        ([row(5, 1), row(10, 1)], X, True, (Cause.arrival,)),
        ([row(5, 1), row(10, 1, deleted=True)], X, False, (Cause.arrival,)),
        ([row(5), row(10, 2)], total(Window(8, closed_right=True)), False, (Cause.window,)),
        ([row(5), row(10, 1)], total(Window(8)), False, (Cause.arrival,)),
        ([row(5), row(10, 1)], total(Window(8, every=4)), False, (Cause.arrival,)),
        ([row(5), row(10, 1)], total(Window(8, delay=3)), False, (Cause.arrival,)),
        (
            [row(5), row(10, 1, x=2.0)],
            total(Window(8, closed_right=True)),
            False,
            (Cause.window, Cause.arrival),
        ),
    ],
)
def test_a_leak_has_its_causes(stored, feature, strict, expected):
    assert causes(stored, feature, strict=strict) == expected


@given(worlds())
@examples(150)
def test_strict_features_do_not_leak_if_every_row_is_visible_after_its_event(
    world: World,
) -> None:
    view = replace(world.query, strict=True, rows=replace(
        world.query.rows, available_delay=world.query.rows.available_delay + 1
    ))  # fmt: skip
    rows = [later(stored) for stored in world.rows]

    for spine_row in world.spine:
        for feature in view.features:
            left = closed_left(feature)
            valid = reference.valid_rows(view, spine_row, rows) if reference.is_answerable(
                view, spine_row
            ) else []  # fmt: skip
            now = value_or_overflow(view, left, spine_row, valid)
            assert same_value(now, past_value(view, left, spine_row, rows))


@given(worlds())
@examples(150)
def test_only_revisions_can_arrive_at_the_moment(world: World) -> None:
    view = world.query
    for spine_row in world.spine:
        for feature in view.features if reference.is_answerable(view, spine_row) else ():
            valid = reference.valid_rows(view, spine_row, world.rows)
            now = value_or_overflow(view, feature, spine_row, valid)
            if not same_value(now, past_value(view, feature, spine_row, world.rows)):
                causes = causes_of(view, feature, spine_row, world.rows)
                assert causes
                assert view.rows.unique_by or Cause.arrival not in causes


def later(stored: dict) -> dict:
    """Return the row with an available time a microsecond later, and after its event."""
    available, event = stored["available_timestamp"], stored["event_timestamp"]
    if available is None:
        return stored
    return stored | {
        "available_timestamp": max(available, available if event is None else event) + 1
    }


def closed_left(feature: Column | Aggregate) -> Column | Aggregate:
    if isinstance(feature, Column):
        return feature
    return replace(feature, window=replace(feature.window, closed_right=False))


CHANGING = """
orders = fs.DeltaSource("orders", path="data/orders", timestamp_field="at", unique_by=("n",))
moved = fs.FeatureView(
    "moved", entities=(card,), source=orders, schema=(fs.Field("amount", fs.Float64),),
    aggregations=(
        fs.Aggregation("amount", "sum", windows=("4h",)),
        fs.Aggregation("*", "count", windows=("1h",), closed="right"),
    ),
)
"""


@pytest.fixture
def moved(tmp_path: Path) -> fs.FeatureStore:
    """A store with an order of 1:00 that a revision, visible from 3:00 on, moves to 3:00."""
    (tmp_path / "featurestore.toml").write_text('project = "shop"\n')
    (tmp_path / "feature_defs").mkdir()
    (tmp_path / "feature_defs" / "shop.py").write_text(DEFINITIONS + CHANGING)
    store = fs.FeatureStore(tmp_path)
    store.apply(store.plan())
    columns = {"n": pa.array([1, 1], pa.int64()), "amount": [5.0, 5.0]}
    write_view(store, "moved", feature_table({"id": [1, 1]}, [1 * HOUR, 3 * HOUR], columns))
    return store


def test_the_fix_depends_on_the_cause(moved: fs.FeatureStore) -> None:
    result = moved.verify(["moved"], spine=[{"id": 1, "event_timestamp": at(3)}], leakage=True)

    total, count = result.leaks
    assert (total.feature, total.value, total.past_value) == ("amount_sum_4h", None, 5.0)
    assert "available_delay=" in total.fix
    assert "'moved'" in total.fix
    assert "closed=" not in total.fix
    assert (count.feature, count.value, count.past_value) == ("count_1h", 1, 0)
    assert 'closed="left"' in count.fix
    assert "available_delay=" not in count.fix
