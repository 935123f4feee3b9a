"""Explanations name the row that the kernel selects, and the right reason for each null."""

import pytest
from hypothesis import given

from featurestore.definitions.model.types import Float64, Int64
from featurestore.engines import reference
from featurestore.engines.explain.cell import Explanation, describe_window, explain_cell
from featurestore.query.nodes import Aggregate, Column, KeyBinding, Rows, ViewQuery, Window
from featurestore.times import from_micros
from tests.effort import examples
from tests.engines.kernel.worlds import World, worlds

KEYS = (KeyBinding("id", "card", Int64),)
X = Column("x", "x", Float64)
REVISED = Rows(unique_by=("n",), has_deleted=True)
DELETABLE = Rows(has_deleted=True)


def row(event: int, x: float | None = 1.0, available: int | None = None, **rest: object) -> dict:
    available = event if available is None else available
    return {"id": 1, "event_timestamp": event, "available_timestamp": available, "x": x,
            "_row_hash": 1, "_deleted": False, **rest}  # fmt: skip


def time(micros: int) -> str:
    """Return a time as explanations show it."""
    return f"1970-01-01 00:00:00.{micros:06}Z"


def event_of(explanation: Explanation) -> int | None:
    """Return the event time of the row that an explanation shows, in microseconds."""
    if explanation.row is None:
        return None
    time_of_event = explanation.row["event_timestamp"]
    [micros] = [micros for micros in range(200) if from_micros(micros) == time_of_event]
    return micros


def explain(stored: list[dict], at: int | None = 100, card: int | None = 1, **query: object):
    view = ViewQuery("v", keys=KEYS, timestamp_field="at", columns=(X,), **query)
    return explain_cell(view, X, {"card": card, "at": at}, stored)


@pytest.mark.parametrize(
    ("explanation", "reason", "event", "facts"),
    [
        (explain([row(40)]), "answered", 40, [time(40), "0:00:00.000060"]),
        (explain([row(40, available=60)]), "answered", 40, [time(40), "0:00:00.000060", time(60)]),
        (explain([row(100)]), "answered", 100, [time(100)]),
        (explain([row(None), row(40)]), "answered", 40, [time(40)]),
        (explain([row(40)], card=None), "null_key", None, ["'card'"]),
        (explain([row(40)], at=None), "null_time", None, ["'at'"]),
        (explain([]), "no_row", None, []),
        (explain([row(101)]), "no_row", None, [time(101), "after"]),
        (explain([row(100)], strict=True), "no_row", None, [time(100), "not before"]),
        (explain([row(40, available=120)]), "not_yet_available", 40, [time(40), time(120)]),
        (
            explain([row(40, available=120), row(30, available=130)]),
            "not_yet_available",
            40,
            ["2 earlier rows", time(120)],
        ),
        (
            explain([row(40)], ttl=50),
            "expired",
            40,
            [time(40), "0:00:00.000060", "ttl", "0:00:00.000050"],
        ),
        (explain([row(40, None)]), "null_value", 40, [time(40), "'x'"]),
        (
            explain([row(40), row(50, _deleted=True)], rows=DELETABLE),
            "tombstone",
            50,
            [time(50), "tombstone"],
        ),
        (
            explain([row(40, n=1), row(40, n=1, available=60, _deleted=True)], rows=REVISED),
            "retracted",
            40,
            [time(40), "retracted", time(60)],
        ),
        (
            explain([row(40, n=1), row(100, n=1)], rows=REVISED, strict=True),
            "superseded",
            40,
            [time(40), "superseded", time(100)],
        ),
    ],
)
def test_every_cell_has_its_reason_and_its_row(explanation, reason, event, facts):
    assert (explanation.reason, event_of(explanation)) == (reason, event)
    assert explanation.text.startswith("null: ") == (reason != "answered")
    assert_in_order(facts, explanation.text)


def assert_in_order(facts: list[str], text: str) -> None:
    """Check that a text names facts, one after the other."""
    end = 0
    for fact in facts:
        assert fact in text[end:], text
        end = text.index(fact, end) + len(fact)


def window(stored: list[dict], rows: Rows = Rows(), at: int = 100, **changes: object):  # noqa: B008  # frozen
    arguments = {"column": "x", "dtype": Float64, "function": "sum", "window": Window(50),
                 "result": Float64, **changes}  # fmt: skip
    aggregate = Aggregate("f", **arguments)
    view = ViewQuery("v", keys=KEYS, timestamp_field="at", rows=rows, aggregates=(aggregate,))
    return explain_cell(view, aggregate, {"card": 1, "at": at}, stored)


def test_a_window_shows_its_edges_its_rows_and_the_row_that_is_excluded():
    rows = [row(49), row(50, 2.0), row(60, None), row(99, 3.0), row(100)]

    explanation = window(rows)

    assert explanation.reason == "answered"
    assert [each["x"] for each in explanation.rows] == [2.0, 3.0]
    assert explanation.count == 2
    assert_in_order(
        ["sum of 2 values", time(50), time(100), "One more row", time(60), "'x'"], explanation.text
    )


@pytest.mark.parametrize(
    ("changes", "start"),
    [
        ({"window": Window(50, closed_right=True)}, "sum of 1 value "),
        ({"window": Window(None, closed_right=True)}, "sum of 1 value "),
        ({"window": Window(None)}, "sum of 1 value "),
        ({"function": "last_n", "number": 3}, "last3 of 1 value "),
        ({"function": "percentile", "number": 90}, "p90 of 1 value "),
        ({"function": "count_distinct"}, "count_distinct of 1 value "),
        ({"function": "count", "column": "*"}, "count of 2 rows "),
        ({"function": "count", "column": "*", "by": "x"}, "count of 1 row by 'x' "),
    ],
)
def test_a_window_is_described_by_its_function_its_rows_and_its_edges(changes, start):
    edges = describe_window(changes.get("window", Window(50)), 100)

    assert window([row(60), row(70, None)], **changes).text.startswith(start + edges)


@pytest.mark.parametrize(
    ("edges", "times"),
    [
        (Window(50), [time(50), time(100)]),
        (Window(50, 10), [time(40), time(90)]),
        (Window(50, closed_right=True), ["after", time(50), "including", time(100)]),
        (Window(None), ["beginning", time(100)]),
        (Window(None, closed_right=True), ["including", time(100)]),
        (Window(50, every=40), [time(30), time(80)]),
    ],
)
def test_the_edges_of_a_window_are_named_with_what_belongs_to_it(edges, times):
    text = describe_window(edges, 100)

    assert_in_order(times, text)
    assert text.count("1970-") == sum(each.startswith("1970-") for each in times)


def test_a_deviation_of_a_single_value_is_too_few():
    sample, population = (window([row(60)], function="stddev", ddof=ddof) for ddof in (1, 0))

    assert (sample.reason, sample.count, population.reason) == ("too_few", 1, "answered")
    assert sample.text.startswith("null: stddev of 1 value ")
    assert "stddev needs 2" in sample.text
    assert not population.text.startswith("null: ")


def test_a_window_says_which_rows_in_it_are_excluded():
    late = [row(70, available=120), row(80, available=130)]

    explanation = window([row(60), *late])

    assert (explanation.reason, explanation.count) == ("answered", 1)
    assert_in_order(["sum of 1 value", "2 more rows", time(120)], explanation.text)


@pytest.mark.parametrize(
    ("stored", "rows", "reason", "event", "facts"),
    [
        ([], Rows(), "no_row", None, []),
        (
            [row(30), row(49), row(100), row(120)],
            Rows(),
            "empty_window",
            None,
            ["before", time(49), "after", time(100)],
        ),
        ([row(49)], Rows(), "empty_window", None, ["before", time(49)]),
        ([row(120)], Rows(), "empty_window", None, ["after", time(120)]),
        ([row(60, available=130)], Rows(), "not_yet_available", 60, [time(60), time(130)]),
        ([row(60, None), row(70, None)], Rows(), "null_value", 70, ["2 rows", "'x'"]),
        ([row(60, _deleted=True)], DELETABLE, "tombstone", 60, [time(60), "tombstone"]),
        (
            [row(60, n=1), row(60, n=1, available=70, _deleted=True)],
            REVISED,
            "retracted",
            60,
            [time(60), "retracted", time(70)],
        ),
        (
            [row(60, n=1), row(20, n=1, available=80)],
            REVISED,
            "superseded",
            60,
            [time(60), "superseded", time(80)],
        ),
        (
            [
                row(60, None),
                row(70, available=130),
                row(80, available=120),
                row(90, _deleted=True),
            ],
            DELETABLE,
            "not_yet_available",
            80,
            ["4 rows", ". 2 are", time(120), ". 1 is a tombstone", ". 1 has null", "'x'"],
        ),
    ],
)
def test_an_empty_window_says_why_no_row_answers(stored, rows, reason, event, facts):
    explanation = window(stored, rows)

    assert (explanation.reason, explanation.count) == (reason, 0)
    assert event_of(explanation) == event
    assert_in_order(["no value", time(50), time(100), ". ", *facts], explanation.text)


@pytest.mark.slow
@given(worlds())
@examples(150)
def test_the_explained_row_is_the_reference_s(world: World):
    for spine_row in world.spine:
        key = reference.spine_key(world.query, spine_row)
        stored = [
            each for each in world.rows
            if reference.row_key(world.query, each) == key and each["event_timestamp"] is not None
        ]  # fmt: skip
        for feature in world.query.features:
            explanation = explain_cell(world.query, feature, spine_row, stored)
            if explanation.reason in ("null_key", "null_time"):
                assert None in (*key, spine_row["at"])
                continue
            valid = reference.valid_rows(world.query, spine_row, world.rows)
            if isinstance(feature, Column):
                value = reference.column_value(world.query, feature, spine_row["at"], valid)
                assert (explanation.reason == "answered") == (value is not None)
                assert value is None or same(explanation.row[feature.column], value)
            else:
                values = reference.window_values(world.query, feature, spine_row["at"], valid)
                if feature.by is None:
                    assert explanation.count == len(values)
                assert (explanation.reason in ("answered", "too_few")) == (explanation.count > 0)


def same(left: object, right: object) -> bool:
    """Return whether two values are equal; NaN equals NaN."""
    return left == right or (left != left and right != right)
