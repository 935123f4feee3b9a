from functools import partial, wraps
from typing import Any

import pytest

from featurestore.definitions.model.view import Code
from tests.definitions.rules.cases import issues, missing, view

LOCK = object()


def settled(rows: Any) -> Any:
    return rows.filter("settled")


def optional(rows: Any, limit: int = 3) -> Any:
    return rows.limit(limit)


def two(rows: Any, other: Any) -> Any:
    return rows.union(other)


def secretive(rows: Any) -> Any:
    return rows, LOCK


def logged(function: Any) -> Any:
    @wraps(function)
    def wrapper(rows: Any) -> Any:
        return function(rows)

    return wrapper


def hidden(function: Any) -> Any:
    def wrapper(rows: Any) -> Any:
        return function(rows)

    return wrapper


@logged
def decorated(rows: Any) -> Any:
    return rows


@hidden
def disguised(rows: Any) -> Any:
    return rows


class Callable:
    def __call__(self, rows: Any) -> Any:
        return rows


@pytest.mark.parametrize(
    "transform",
    [None, settled, optional, decorated, "select * from {source}", Code("f", "def f(): ...", "1")],
)
def test_functions_of_modules_and_sql_are_valid(transform: Any) -> None:
    assert issues(view(transform=transform)) == []


@pytest.mark.parametrize(
    ("transform", "reason"),
    [
        (lambda rows: rows, "lambda"),
        (partial(settled), "partial"),
        (len, "builtin_function_or_method"),
        (Callable(), "Callable"),
        (Callable, "type type"),
        (Callable().__call__, "method"),
        (disguised, "'wrapper'"),
    ],
)
def test_transforms_whose_code_cannot_be_read_are_reported(transform: Any, reason: str) -> None:
    made = view(transform=transform)

    [issue] = issues(made)

    assert (issue.rule, issue.origin) == ("functions_are_declared_in_modules", made.origin)
    assert missing(issue, "view 'activity'", reason, "`def`", "module") == []


def test_a_transform_takes_one_argument() -> None:
    [issue] = issues(view(transform=two))

    assert issue.rule == "functions_are_declared_in_modules"
    assert missing(issue, "view 'activity'", "'two'", "one argument", "DataFrame") == []


def test_a_transform_that_uses_a_value_without_comparison_is_reported() -> None:
    [issue] = issues(view(transform=secretive))

    assert issue.rule == "functions_are_declared_in_modules"
    parts = ("view 'activity'", "'secretive'", "'LOCK'", "object", "dictionaries")
    assert missing(issue, *parts) == []


def test_sql_selects_from_the_source() -> None:
    [issue] = issues(view(transform="select * from payments"))

    assert issue.rule == "sql_selects_from_the_source"
    assert missing(issue, "view 'activity'", "FROM {source}") == []
