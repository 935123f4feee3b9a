from typing import Any

import pytest

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.functions import functions_of
from featurestore.definitions.model.types import (
    JOIN_KEY_TYPES,
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
from tests.definitions.rules.cases import SCHEMA, issues, missing, rules, view, windows

WEEK = ("7d",)
OF_STRINGS, OF_BOOLEANS = functions_of(String), functions_of(Boolean)


@pytest.mark.parametrize(
    ("aggregation", "rule", "parts"),
    [
        (Aggregation("amuont", "sum", windows=WEEK), "columns_exist", ("'amuont'", "'amount'?")),
        (Aggregation("amount", "smu", windows=WEEK), "functions_exist", ("'smu'", "'sum'?")),
        (
            Aggregation("merchant", "sum", windows=WEEK),
            "functions_fit_their_columns",
            ("'merchant'", "String", ", ".join(OF_STRINGS)),
        ),
        (
            Aggregation("online", "mean", windows=WEEK),
            "functions_fit_their_columns",
            ("'online'", "Boolean", ", ".join(OF_BOOLEANS)),
        ),
        (Aggregation("*", "sum", windows=WEEK), "functions_fit_their_columns", ("'*'", "count")),
        (
            Aggregation("amount", "sum", windows=()),
            "windows_are_durations",
            ("windows", "('7d',)"),
        ),
        (
            Aggregation("amount", "sum", windows=("7x",)),
            "windows_are_durations",
            ("window", "'7x'", "'7d'"),
        ),
        (
            Aggregation("amount", "sum", windows=("0d",)),
            "windows_are_durations",
            ("window", "'0d'", "length"),
        ),
        (
            Aggregation("amount", "sum", windows=(Sliding("7x", every="1d"),)),
            "windows_are_durations",
            (Sliding("7x", every="1d"), "size '7x'", "'7d'"),
        ),
        (
            Aggregation("amount", "sum", windows=(Sliding("7d", every="0d"),)),
            "windows_are_durations",
            (Sliding("7d", every="0d"), "every '0d'", "length"),
        ),
        (
            Aggregation("amount", "sum", windows=(Tumbling("lifetime"),)),
            "windows_are_durations",
            (Tumbling("lifetime"), "every 'lifetime'", "'7d'"),
        ),
        (
            Aggregation("amount", "sum", windows=(Tumbling("1d", offset="2x"),)),
            "windows_are_durations",
            (Tumbling("1d", offset="2x"), "offset '2x'", "'7d'"),
        ),
        (
            Aggregation("amount", "sum", windows=(Tumbling("1d", offset="24h"),)),
            "windows_are_durations",
            (Tumbling("1d", offset="24h"), "offset '24h'", "less than '1d'"),
        ),
        (
            Aggregation("amount", "sum", windows=(Tumbling("1d"),), closed="right"),
            "grids_are_closed_left",
            (Tumbling("1d"), "closed='right'"),
        ),
        (
            Aggregation("amount", "sum", windows=WEEK, delay="soon"),
            "windows_are_durations",
            ("delay 'soon'", "'7d'"),
        ),
        (
            Aggregation("items", "sum", windows=WEEK, empty=0.5),
            "empty_fits_the_result",
            ("empty=0.5", "Int64"),
        ),
        (
            Aggregation("items", "sum", windows=WEEK, empty=2**63),
            "empty_fits_the_result",
            (f"empty={2**63}", "Int64"),
        ),
        (
            Aggregation("amount", "mean", windows=WEEK, empty="none"),
            "empty_fits_the_result",
            ("empty='none'", "Float64"),
        ),
        (
            Aggregation("amount", "max", windows=WEEK, empty=False),
            "empty_fits_the_result",
            ("empty=False", "Float64"),
        ),
        (
            Aggregation("merchant", "last", windows=WEEK, empty=1),
            "empty_fits_the_result",
            ("empty=1", "String"),
        ),
        (
            Aggregation("amount", "last_n", windows=WEEK),
            "functions_exist",
            ("'last_n'", "'last3'?"),
        ),
        (Aggregation("amount", "last0", windows=WEEK), "functions_exist", ("last1 to last1000",)),
        (Aggregation("amount", "top1001", windows=WEEK), "functions_exist", ("top1 to top1000",)),
        (Aggregation("amount", "p101", windows=WEEK), "functions_exist", ("p0 to p100",)),
        (
            Aggregation("merchant", "p50", windows=WEEK),
            "functions_fit_their_columns",
            ("'merchant'", "String", ", ".join(OF_STRINGS)),
        ),
        (
            Aggregation("*", "last3", windows=WEEK),
            "functions_fit_their_columns",
            ("'*'", "count"),
        ),
        (
            Aggregation("amount", "last3", windows=WEEK, empty=0),
            "empty_fits_the_result",
            ("empty=0", "Array(Float64)"),
        ),
        (
            Aggregation("amount", "sum", windows=WEEK, by="mercant"),
            "columns_exist",
            ("'mercant'", "'merchant'?"),
        ),
        (
            Aggregation("amount", "mean", windows=WEEK, by="merchant"),
            "functions_fit_their_columns",
            ("by='merchant'", "count and sum"),
        ),
        (
            Aggregation("*", "count", windows=WEEK, by="amount"),
            "functions_fit_their_columns",
            ("by='amount'", "Float64", ", ".join(map(str, JOIN_KEY_TYPES))),
        ),
        (
            Aggregation("amount", "sum", windows=WEEK, by="merchant", empty=0),
            "empty_fits_the_result",
            ("empty=0", "Map(String, Float64)"),
        ),
        (
            Aggregation("amount", "stddev", windows=WEEK, ddof=2),
            "ddof_is_the_samples_or_the_populations",
            ("ddof", "1", "0", "2"),
        ),
        (
            Aggregation("amount", "mean", windows=WEEK, ddof=0),
            "ddof_is_the_samples_or_the_populations",
            ("ddof=0", "variance and stddev"),
        ),
    ],
)
def test_aggregations_without_a_meaning_are_reported(
    aggregation: Aggregation, rule: str, parts: tuple[object, ...]
) -> None:
    [issue] = issues(windows(aggregation))

    assert (issue.rule, issue.origin) == (rule, aggregation.origin)
    head = f"{aggregation.function} of {aggregation.column!r}"
    assert missing(issue, "view 'activity'", head, *parts) == []


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
def test_aggregations_with_a_meaning_are_valid(aggregation: Aggregation) -> None:
    assert issues(windows(aggregation)) == []


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

    assert len(issues(view(schema=(Field("x", dtype),), aggregations=(aggregation,)))) == count


def test_an_unknown_type_is_reported_once() -> None:
    wrong = view(
        schema=(Field("x", "Int"),), aggregations=(Aggregation("x", "sum", windows=WEEK, empty=0),)
    )

    [issue] = issues(wrong)

    assert issue.rule == "fields_have_known_types"
    assert missing(issue, "view 'activity'", "field 'x'", "'Int'", "'Int64'", "'Int32'") == []


def test_of_a_feature_that_is_declared_twice_both_lines_are_named() -> None:
    first = Aggregation("amount", "sum", windows=("1d", "7d"))
    second = Aggregation("amount", "sum", windows=("7d", "30d"), delay="1d")

    [issue] = issues(windows(first, second))

    assert (issue.rule, issue.origin) == ("feature_names_are_unique", second.origin)
    assert missing(issue, "view 'activity'", "'amount_sum_7d'", first.origin, "name=") == []
    assert issues(windows(first, Aggregation("amount", "sum", windows=WEEK, name="late"))) == []


def test_a_window_that_is_listed_twice_is_reported() -> None:
    twice = Aggregation("amount", "sum", windows=("7d", "7d"))

    [issue] = issues(windows(twice))

    assert issue.rule == "feature_names_are_unique"
    assert missing(issue, "view 'activity'", "'amount_sum_7d'", twice.origin) == []


def test_all_problems_of_a_view_are_reported_at_once() -> None:
    wrong = view(
        ttl="7x",
        schema=(*SCHEMA, Field("amount", Decimal(99, 1))),
        aggregations=(
            Aggregation("amuont", "sum", windows=("7x",)),
            Aggregation("merchant", "smu", windows=()),
        ),
        transform="select 1",
    )

    assert sorted(rules(wrong)) == [
        "aggregating_views_have_no_ttl",
        "columns_are_unique",
        "columns_exist",
        "durations_are_durations",
        "fields_have_known_types",
        "functions_exist",
        "sql_selects_from_the_source",
        "windows_are_durations",
        "windows_are_durations",
    ]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        *(("avg", "mean"), ("AVG", "mean"), ("std", "stddev"), ("var", "variance")),
        *(("nunique", "count_distinct"), ("median", "p50"), ("top_n", "top3"), ("summ", "sum")),
    ],
)
def test_for_the_name_of_a_function_in_other_tools_the_name_here_is_offered(
    text: str, meant: str
) -> None:
    [issue] = issues(windows(Aggregation("amount", text, windows=WEEK)))

    assert issue.rule == "functions_exist"
    assert missing(issue, "view 'activity'", repr(text), f"{meant!r}?") == []


def test_a_window_that_is_too_long_is_reported() -> None:
    long = Aggregation("amount", "sum", windows=("99999999999999w",))

    [issue] = issues(windows(long))

    assert issue.rule == "windows_are_durations"
    parts = ("view 'activity'", "'99999999999999w'", "146,000 years", "'3650d'", "'lifetime'")
    assert missing(issue, *parts) == []
