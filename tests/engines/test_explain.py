"""Explanations tell the same winner as the kernel, and the right reason for each null."""

import pytest
from hypothesis import given

from featurestore.definitions.types import Float64, Int64
from featurestore.engines.explain import explain_cell
from featurestore.query.nodes import Aggregate, Column, KeyBinding, Rows, ViewQuery, Window
from tests import oracle
from tests.effort import examples
from tests.engines.kernel.worlds import World, worlds

KEYS = (KeyBinding("id", "card", Int64),)
X = Column("x", "x", Float64)


def row(event: int, x: float | None = 1.0, available: int | None = None, **rest: object) -> dict:
    known = event if available is None else available
    return {"id": 1, "event_timestamp": event, "available_timestamp": known, "x": x,
            "_row_hash": 1, **rest}  # fmt: skip


def explain(stored: list[dict], at: int | None = 100, card: int | None = 1, **query: object):
    view = ViewQuery("v", keys=KEYS, timestamp_field="at", columns=(X,), **query)
    return explain_cell(view, X, {"card": card, "at": at}, stored)


@pytest.mark.parametrize(
    ("found", "reason", "text"),
    [
        (
            explain([row(40)]),
            "answered",
            "the row of 1970-01-01 00:00:00.000040Z won, 0:00:00.000060 before",
        ),
        (explain([row(40)], card=None), "null_key", "null: 'card', a part of the key, is null"),
        (explain([row(40)], at=None), "null_time", "null: the spine row has no time"),
        (explain([]), "no_row", "null: the view has no row of this key"),
        (explain([row(101)]), "no_row", "null: the key's first event"),
        (explain([row(100)], strict=True), "no_row", "is not before the moment"),
        (explain([row(40, available=120)]), "not_yet_available", "was not known before"),
        (
            explain([row(40)], ttl=50),
            "expired",
            "won but is 0:00:00.000060 old, and the ttl is 0:00:00.000050",
        ),
        (explain([row(40, None)]), "null_value", "won, and its 'x' is null"),
        (
            explain([row(40), row(50, _deleted=True)], rows=Rows(has_deleted=True)),
            "tombstone",
            "won, and it is a tombstone",
        ),
    ],
)
def test_every_cell_has_its_reason(found, reason, text):
    assert found.reason == reason
    assert text in found.text


def test_a_retracted_event_is_told():
    rows = [row(40, n=1, _deleted=False), row(40, n=1, available=60, _deleted=True)]

    found = explain(rows, rows=Rows(unique_by=("n",), has_deleted=True))

    assert found.reason == "retracted"


def test_a_window_tells_its_edges_and_its_rows():
    total = Aggregate(
        "x_sum", column="x", dtype=Float64, function="sum", window=Window(50), result=Float64
    )
    view = ViewQuery("v", keys=KEYS, timestamp_field="at", aggregates=(total,))
    rows = [row(49), row(50, 2.0), row(60, None), row(99, 3.0), row(100)]

    found = explain_cell(view, total, {"card": 1, "at": 100}, rows)
    empty = explain_cell(view, total, {"card": 1, "at": 10}, rows)

    assert [each["x"] for each in found.rows] == [2.0, 3.0]
    assert found.count == 2
    assert (empty.reason, empty.row) == ("empty_window", None)


@given(worlds())
@examples(150)
def test_the_explained_row_is_the_oracle_s(world: World):
    for asked in world.spine:
        key = oracle.spine_key(world.query, asked)
        mine = [
            each for each in world.rows
            if oracle.row_key(world.query, each) == key and each["event_timestamp"] is not None
        ]  # fmt: skip
        for feature in world.query.features:
            found = explain_cell(world.query, feature, asked, mine)
            if found.reason in ("null_key", "null_time"):
                continue
            existing = oracle.existing_rows(world.query, asked, world.rows)
            if isinstance(feature, Column):
                value = oracle.column_value(world.query, feature, asked["at"], existing)
                assert (found.reason == "answered") == (value is not None)
                assert value is None or same(found.row[feature.column], value)
            else:
                values = oracle.window_values(world.query, feature, asked["at"], existing)
                assert found.count == len(values)


def same(left: object, right: object) -> bool:
    return left == right or (left != left and right != right)
