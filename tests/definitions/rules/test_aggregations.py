from typing import Any

import pytest

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.functions import functions_of
from featurestore.definitions.model.types import (
    Array,
    Binary,
    Boolean,
    Decimal,
    Field,
    Int32,
    String,
    Timestamp,
)
from featurestore.definitions.model.window import Sliding, Tumbling
from tests.definitions.rules.cases import SCHEMA, messages, view, windows
from tests.definitions.rules.test_views import DURATION

WEEK = ("7d",)
OF_STRINGS, OF_BOOLEANS = (", ".join(functions_of(dtype)) for dtype in (String, Boolean))


@pytest.mark.parametrize(
    ("aggregation", "problem"),
    [
        (
            Aggregation("amuont", "sum", windows=WEEK),
            "sum of 'amuont': the schema has no field 'amuont'. Did you mean 'amount'?",
        ),
        (
            Aggregation("amount", "smu", windows=WEEK),
            "smu of 'amount': unknown function 'smu'. Did you mean 'sum'?",
        ),
        (
            Aggregation("merchant", "sum", windows=WEEK),
            f"sum of 'merchant' (String) has no meaning; it can {OF_STRINGS}",
        ),
        (
            Aggregation("online", "mean", windows=WEEK),
            f"mean of 'online' (Boolean) has no meaning; it can {OF_BOOLEANS}",
        ),
        (
            Aggregation("*", "sum", windows=WEEK),
            "sum of '*' has no meaning; a function of '*' is count",
        ),
        (
            Aggregation("amount", "sum", windows=()),
            "sum of 'amount': windows is empty; give lengths such as ('7d',)",
        ),
        (
            Aggregation("amount", "sum", windows=("7x",)),
            f"sum of 'amount': window '7x' {DURATION}",
        ),
        (
            Aggregation("amount", "sum", windows=("0d",)),
            "sum of 'amount': window '0d' is empty; give it a length",
        ),
        (
            Aggregation("amount", "sum", windows=(Sliding("7x", every="1d"),)),
            f"sum of 'amount': window {Sliding('7x', every='1d')}: size '7x' {DURATION}",
        ),
        (
            Aggregation("amount", "sum", windows=(Sliding("7d", every="0d"),)),
            f"sum of 'amount': window {Sliding('7d', every='0d')}: every '0d' is empty; give it a "
            "length",
        ),
        (
            Aggregation("amount", "sum", windows=(Tumbling("lifetime"),)),
            f"sum of 'amount': window {Tumbling('lifetime')}: every 'lifetime' {DURATION}",
        ),
        (
            Aggregation("amount", "sum", windows=(Tumbling("1d", offset="2x"),)),
            f"sum of 'amount': window {Tumbling('1d', offset='2x')}: offset '2x' {DURATION}",
        ),
        (
            Aggregation("amount", "sum", windows=(Tumbling("1d", offset="24h"),)),
            f"sum of 'amount': window {Tumbling('1d', offset='24h')}: offset '24h' is not less "
            "than '1d', by which it moves on",
        ),
        (
            Aggregation("amount", "sum", windows=(Tumbling("1d"),), closed="right"),
            f"sum of 'amount': {Tumbling('1d')} is [e - W, e); closed='right' has no meaning for "
            "it",
        ),
        (
            Aggregation("amount", "sum", windows=WEEK, delay="soon"),
            f"sum of 'amount': delay 'soon' {DURATION}",
        ),
        (
            Aggregation("items", "sum", windows=WEEK, empty=0.5),
            "sum of 'items': empty=0.5 is no Int64, which the result is",
        ),
        (
            Aggregation("items", "sum", windows=WEEK, empty=2**63),
            "sum of 'items': empty=9223372036854775808 is no Int64, which the result is",
        ),
        (
            Aggregation("amount", "mean", windows=WEEK, empty="none"),
            "mean of 'amount': empty='none' is no Float64, which the result is",
        ),
        (
            Aggregation("amount", "max", windows=WEEK, empty=False),
            "max of 'amount': empty=False is no Float64, which the result is",
        ),
        (
            Aggregation("merchant", "last", windows=WEEK, empty=1),
            "last of 'merchant': empty=1 is no String, which the result is",
        ),
        (
            Aggregation("amount", "last_n", windows=WEEK),
            "last_n of 'amount': unknown function 'last_n'. Did you mean 'last3'?",
        ),
        (
            Aggregation("amount", "last0", windows=WEEK),
            "last0 of 'amount': its number is out of range; write last1 to last1000",
        ),
        (
            Aggregation("amount", "top1001", windows=WEEK),
            "top1001 of 'amount': its number is out of range; write top1 to top1000",
        ),
        (
            Aggregation("amount", "p101", windows=WEEK),
            "p101 of 'amount': its number is out of range; write p0 to p100",
        ),
        (
            Aggregation("merchant", "p50", windows=WEEK),
            f"p50 of 'merchant' (String) has no meaning; it can {OF_STRINGS}",
        ),
        (
            Aggregation("*", "last3", windows=WEEK),
            "last3 of '*' has no meaning; a function of '*' is count",
        ),
        (
            Aggregation("amount", "last3", windows=WEEK, empty=0),
            "last3 of 'amount': empty=0 is no Array(Float64), which the result is",
        ),
        (
            Aggregation("amount", "sum", windows=WEEK, by="mercant"),
            "sum of 'amount': the schema has no field 'mercant'. Did you mean 'merchant'?",
        ),
        (
            Aggregation("amount", "mean", windows=WEEK, by="merchant"),
            "mean of 'amount': by='merchant' has a meaning only for count and sum",
        ),
        (
            Aggregation("*", "count", windows=WEEK, by="amount"),
            "count of '*': by='amount' is of type Float64; categories are one of Int32, Int64, "
            "String, Boolean, Date",
        ),
        (
            Aggregation("amount", "sum", windows=WEEK, by="merchant", empty=0),
            "sum of 'amount': empty=0 is no Map(String, Float64), which the result is",
        ),
        (
            Aggregation("amount", "stddev", windows=WEEK, ddof=2),
            "stddev of 'amount': ddof is 1 for the sample's or 0 for the population's, not 2",
        ),
        (
            Aggregation("amount", "mean", windows=WEEK, ddof=0),
            "mean of 'amount': ddof=0 has a meaning only for variance and stddev",
        ),
    ],
)
def test_what_an_aggregation_says_must_have_a_meaning(
    aggregation: Aggregation, problem: str
) -> None:
    assert messages(windows(aggregation)) == [f"view 'activity': {problem}"]


@pytest.mark.parametrize(
    "aggregation",
    [
        Aggregation("*", "count", windows=("7d", "lifetime"), empty=-1),
        Aggregation("amount", "sum", windows=WEEK, empty=0, delay="1d", closed="right"),
        Aggregation("amount", "mean", windows=WEEK, empty=0.5),
        Aggregation("items", "max", windows=WEEK, empty=-(2**63)),
        Aggregation("online", "last", windows=WEEK, empty=True),
        Aggregation("merchant", "last", windows=WEEK, empty=""),
        Aggregation("merchant", "count_distinct", windows=WEEK),
        Aggregation("amount", "variance", windows=WEEK, ddof=0, empty=0),
        Aggregation("amount", "sum", windows=(Sliding("lifetime", every="1d", offset="23h"),)),
        Aggregation("amount", "sum", windows=WEEK, by="merchant"),
        Aggregation("*", "count", windows=WEEK, by="online"),
        Aggregation("online", "any", windows=WEEK, empty=False),
    ],
)
def test_aggregations_with_a_meaning_are_fine(aggregation: Aggregation) -> None:
    assert messages(windows(aggregation)) == []


@pytest.mark.parametrize(
    ("dtype", "function", "empty", "count"),
    [
        (Decimal(10, 2), "sum", 0, 0),
        (Decimal(10, 2), "sum", 0.5, 1),
        (Int32, "last", 2**31, 1),
        (Int32, "last", -(2**31), 0),
        (Timestamp, "max", "2026-01-01", 1),
        (Binary, "max", None, 1),
        (Array(Int32), "last", None, 0),
        (Array(Int32), "first", None, 0),
        (Int32, "any", None, 1),
        (Binary, "mode", None, 1),
        (Binary, "last3", None, 0),
        (Array(Int32), "last3", None, 0),
        (Array(Int32), "mode", None, 1),
        (Timestamp, "top3", None, 0),
        (Binary, "top3", None, 1),
        (Decimal(10, 2), "p100", 0.5, 0),
        (Int32, "variance", 0, 0),
        (Array(Int32), "min", None, 1),
        (Array(Int32), "count", 0, 0),
    ],
)
def test_results_and_empty_values_go_by_type(
    dtype: Any, function: str, empty: Any, count: int
) -> None:
    aggregation = Aggregation("x", function, windows=WEEK, empty=empty)

    assert len(messages(view(schema=(Field("x", dtype),), aggregations=(aggregation,)))) == count


def test_an_unknown_type_is_reported_once() -> None:
    odd = view(
        schema=(Field("x", "Int"),), aggregations=(Aggregation("x", "sum", windows=WEEK, empty=0),)
    )

    assert messages(odd) == [
        "field 'x' of view 'activity': unknown type 'Int'. Did you mean 'Int64' or 'Int32'?"
    ]


def test_a_feature_that_is_made_twice_is_reported_with_both_places() -> None:
    first = Aggregation("amount", "sum", windows=("1d", "7d"))
    second = Aggregation("amount", "sum", windows=("7d", "30d"), delay="1d")

    assert messages(windows(first, second)) == [
        f"view 'activity': feature 'amount_sum_7d' is also made at {first.origin}; "
        "give one of them name="
    ]
    assert messages(windows(first, Aggregation("amount", "sum", windows=WEEK, name="late"))) == []


def test_a_window_given_twice_is_reported() -> None:
    twice = Aggregation("amount", "sum", windows=("7d", "7d"))

    [message] = messages(windows(twice))

    assert "feature 'amount_sum_7d' is also made at" in message


def test_all_problems_of_a_view_are_reported_at_once() -> None:
    odd = view(
        ttl="7x",
        schema=(*SCHEMA, Field("amount", Decimal(99, 1))),
        aggregations=(
            Aggregation("amuont", "sum", windows=("7x",)),
            Aggregation("merchant", "smu", windows=()),
        ),
        transform="select 1",
    )

    assert len(messages(odd)) == 9


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        *(("avg", "mean"), ("AVG", "mean"), ("std", "stddev"), ("var", "variance")),
        *(("nunique", "count_distinct"), ("median", "p50"), ("top_n", "top3"), ("summ", "sum")),
    ],
)
def test_what_other_tools_call_a_function_is_answered_with_its_name_here(
    text: str, meant: str
) -> None:
    [message] = messages(windows(Aggregation("amount", text, windows=WEEK)))

    assert message.endswith(f"unknown function {text!r}. Did you mean {meant!r}?")


def test_a_window_that_is_too_long_is_told_so() -> None:
    long = Aggregation("amount", "sum", windows=("99999999999999w",))

    assert messages(windows(long)) == [
        "view 'activity': sum of 'amount': window '99999999999999w' is too long: more than "
        "146,000 years. Give a shorter one, such as '3650d'; a window of all time is 'lifetime'."
    ]
