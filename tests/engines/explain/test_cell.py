"""Explanations tell the same winner as the kernel, and the right reason for each null."""

import pytest
from hypothesis import given

from featurestore.definitions.model.types import Float64, Int64
from featurestore.engines import reference
from featurestore.engines.explain.cell import explain_cell
from featurestore.query.nodes import Aggregate, Column, KeyBinding, Rows, ViewQuery, Window
from tests.effort import examples
from tests.engines.kernel.worlds import World, worlds

KEYS = (KeyBinding("id", "card", Int64),)
X = Column("x", "x", Float64)


def row(event: int, x: float | None = 1.0, available: int | None = None, **rest: object) -> dict:
    known = event if available is None else available
    return {"id": 1, "event_timestamp": event, "available_timestamp": known, "x": x,
            "_row_hash": 1, "_deleted": False, **rest}  # fmt: skip


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
        (explain([row(100)]), "answered", "000100Z won, at the moment itself"),
        (explain([row(40)], card=None), "null_key", "null: 'card', a part of the key, is null"),
        (explain([row(40)], at=None), "null_time", "null: the spine row has no time"),
        (explain([]), "no_row", "null: the view has no row of this key"),
        (explain([row(101)]), "no_row", "000101Z, is after the moment"),
        (explain([row(100)], strict=True), "no_row", "000100Z, is not before the moment"),
        (
            explain([row(40, available=120)]),
            "not_yet_available",
            "null: the row of 1970-01-01 00:00:00.000040Z is known only from "
            "1970-01-01 00:00:00.000120Z on",
        ),
        (
            explain([row(40, available=120), row(30, available=130)]),
            "not_yet_available",
            "null: the 2 earlier rows are known only later, the first from "
            "1970-01-01 00:00:00.000120Z on",
        ),
        (explain([row(None), row(40)]), "answered", "the row of 1970-01-01 00:00:00.000040Z won"),
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
    rows = [row(40, n=1), row(40, n=1, available=60, _deleted=True)]

    found = explain(rows, rows=REVISED)

    assert found.reason == "retracted"
    assert found.text == (
        "null: the row of 1970-01-01 00:00:00.000040Z was retracted at 1970-01-01 00:00:00.000060Z"
    )


def test_an_event_that_a_revision_moved_to_the_moment_is_superseded_where_that_is_left_out():
    rows = [row(40, n=1), row(100, n=1)]

    found = explain(rows, rows=REVISED, strict=True)

    assert found.reason == "superseded"
    assert "was superseded by a revision of another time at 1970-01-01 00:00:00.0001" in found.text


REVISED = Rows(unique_by=("n",), has_deleted=True)
TIME = "1970-01-01 00:00:00.0000"
SPAN = f"from {TIME}50Z to before 1970-01-01 00:00:00.000100Z"


def window(stored: list[dict], rows: Rows = Rows(), at: int = 100, **changes: object):  # noqa: B008  # frozen
    given = {"column": "x", "dtype": Float64, "function": "sum", "window": Window(50),
             "result": Float64, **changes}  # fmt: skip
    aggregate = Aggregate("f", **given)
    view = ViewQuery("v", keys=KEYS, timestamp_field="at", rows=rows, aggregates=(aggregate,))
    return explain_cell(view, aggregate, {"card": 1, "at": at}, stored)


def test_a_window_tells_its_edges_and_its_rows():
    rows = [row(49), row(50, 2.0), row(60, None), row(99, 3.0), row(100)]

    found = window(rows)

    assert found.text == (f"sum of 2 values {SPAN}; one more there, of {TIME}60Z, has null in 'x'")
    assert [each["x"] for each in found.rows] == [2.0, 3.0]
    assert found.count == 2


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"window": Window(50, closed_right=True)},
            f"sum of 1 value after {TIME}50Z up to and including 1970-01-01 00:00:00.000100Z",
        ),
        (
            {"window": Window(None, closed_right=True)},
            "sum of 1 value up to and including 1970-01-01 00:00:00.000100Z",
        ),
        ({"window": Window(None)}, "sum of 1 value from the beginning to before"),
        ({"function": "last_n", "number": 3}, "last3 of 1 value from"),
        ({"function": "percentile", "number": 90}, "p90 of 1 value from"),
        ({"function": "count_distinct"}, "count_distinct of 1 value from"),
        ({"function": "count", "column": "*"}, "count of 2 rows from"),
        ({"function": "count", "column": "*", "by": "x"}, "count of 1 row by 'x' from"),
    ],
)
def test_a_window_is_told_as_it_is_declared(changes, text):
    assert window([row(60), row(70, None)], **changes).text.startswith(text)


def test_a_deviation_of_a_single_value_is_too_few():
    sample, population = (window([row(60)], function="stddev", ddof=ddof) for ddof in (1, 0))

    assert (sample.reason, sample.text) == (
        "too_few", f"null: stddev of 1 value {SPAN}, and it takes 2"
    )  # fmt: skip
    assert population.reason == "answered"


def test_a_window_tells_what_else_lies_in_it_but_is_left_out():
    late = [row(70, available=120), row(80, available=130)]

    found = window([row(60), *late])

    assert found.text == (
        f"sum of 1 value {SPAN}; 2 more there are known only later, the first from "
        "1970-01-01 00:00:00.000120Z on"
    )
    assert (found.reason, found.count) == ("answered", 1)


@pytest.mark.parametrize(
    ("stored", "rows", "reason", "text"),
    [
        ([], Rows(), "no_row", "the view has no row of this key"),
        (
            [row(30), row(49), row(100), row(120)],
            Rows(),
            "empty_window",
            f"the key's nearest events are of {TIME}49Z before it, and of 1970-01-01 "
            "00:00:00.000100Z after it",
        ),
        ([row(49)], Rows(), "empty_window", f"the key's nearest event is of {TIME}49Z before it"),
        (
            [row(60, available=130)],
            Rows(),
            "not_yet_available",
            f"the row there, of {TIME}60Z, is known only from 1970-01-01 00:00:00.000130Z on",
        ),
        (
            [row(60, None), row(70, None)],
            Rows(),
            "null_value",
            "the 2 rows there have null in 'x'",
        ),
        (
            [row(60, _deleted=True)],
            Rows(has_deleted=True),
            "tombstone",
            f"the row there, of {TIME}60Z, is a tombstone",
        ),
        (
            [row(60, n=1), row(60, n=1, available=70, _deleted=True)],
            REVISED,
            "retracted",
            f"the row there, of {TIME}60Z, was retracted at {TIME}70Z",
        ),
        (
            [row(60, n=1), row(20, n=1, available=80)],
            REVISED,
            "superseded",
            f"the row there, of {TIME}60Z, was superseded by a revision of another time at "
            f"{TIME}80Z",
        ),
        (
            [
                row(60, None),
                row(70, available=130),
                row(80, available=120),
                row(90, _deleted=True),
            ],
            Rows(has_deleted=True),
            "not_yet_available",
            "of the 4 rows there 2 are known only later, the first from 1970-01-01 "
            "00:00:00.000120Z on, 1 is a tombstone and 1 has null in 'x'",
        ),
    ],
)
def test_an_empty_window_tells_why_no_row_answers(stored, rows, reason, text):
    found = window(stored, rows)

    assert (found.reason, found.count) == (reason, 0)
    assert found.text == f"no value {SPAN}: {text}"


@given(worlds())
@examples(150)
def test_the_explained_row_is_the_oracle_s(world: World):
    for asked in world.spine:
        key = reference.spine_key(world.query, asked)
        mine = [
            each for each in world.rows
            if reference.row_key(world.query, each) == key and each["event_timestamp"] is not None
        ]  # fmt: skip
        for feature in world.query.features:
            found = explain_cell(world.query, feature, asked, mine)
            if found.reason in ("null_key", "null_time"):
                continue
            existing = reference.existing_rows(world.query, asked, world.rows)
            if isinstance(feature, Column):
                value = reference.column_value(world.query, feature, asked["at"], existing)
                assert (found.reason == "answered") == (value is not None)
                assert value is None or same(found.row[feature.column], value)
            else:
                values = reference.window_values(world.query, feature, asked["at"], existing)
                if feature.by is None:
                    assert found.count == len(values)
                assert (found.reason in ("answered", "too_few")) == (found.count > 0)


def same(left: object, right: object) -> bool:
    return left == right or (left != left and right != right)
