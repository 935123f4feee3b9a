"""Each leak has its cause, and the fix for it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    delayed = replace(world.query.rows, available_delay=world.query.rows.available_delay + 1)
    view = replace(world.query, strict=True, rows=delayed)
    rows = [later(stored) for stored in world.rows]

    leaks = [
        (spine_row, feature)
        for spine_row in [*world.spine, *spine_at_rows(view, rows)]
        for feature in view.features
        if leaks_at(view, closed_left(feature), spine_row, rows)
    ]

    assert leaks == []


@given(worlds(), st.sampled_from([(), ("order",)]))
@examples(150)
def test_every_leak_has_a_cause_and_only_revisions_arrive_at_the_moment(
    world: World, unique_by: tuple[str, ...]
) -> None:
    visible_at_once = replace(world.query.rows, available_delay=0, unique_by=unique_by)
    view = replace(world.query, rows=visible_at_once)
    strict = replace(view, strict=True)
    rows = [row | {"available_timestamp": row["event_timestamp"]} for row in world.rows]

    for spine_row in spine_at_rows(view, rows):
        for feature in view.features:
            if leaks_at(view, feature, spine_row, rows):
                causes = causes_of(view, feature, spine_row, rows)
                assert causes
                assert unique_by or Cause.arrival not in causes
                if isinstance(feature, Column):
                    leaks_strictly = leaks_at(strict, feature, spine_row, rows)
                    assert (Cause.arrival in causes) == leaks_strictly


def spine_at_rows(view: ViewQuery, rows: list[dict]) -> list[dict]:
    """Return spine rows with the keys of stored rows, at the times of their events."""
    return [
        {key.spine_column: row[key.key] for key in view.keys}
        | {view.timestamp_field: row["event_timestamp"]}
        for row in rows
    ]


def leaks_at(
    view: ViewQuery, feature: Column | Aggregate, spine_row: dict, rows: list[dict]
) -> bool:
    answerable = reference.is_answerable(view, spine_row)
    valid = reference.valid_rows(view, spine_row, rows) if answerable else []
    now = value_or_overflow(view, feature, spine_row, valid)
    return not same_value(now, past_value(view, feature, spine_row, rows))


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
