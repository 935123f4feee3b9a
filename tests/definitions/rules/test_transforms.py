from functools import partial, wraps
from typing import Any

import pytest

from featurestore.definitions.model.view import Code
from tests.definitions.rules.cases import messages, view

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
def test_functions_of_modules_and_sql_are_fine(transform: Any) -> None:
    assert messages(view(transform=transform)) == []


@pytest.mark.parametrize(
    ("transform", "problem"),
    [
        (lambda rows: rows, "is a lambda, whose changes cannot be followed"),
        (partial(settled), "is a partial, not a function"),
        (len, "is a builtin_function_or_method, not a function"),
        (Callable(), "is a Callable, not a function"),
        (Callable, "is a type, not a function"),
        (Callable().__call__, "is a method, not a function"),
        (disguised, "'wrapper' is declared inside another function"),
    ],
)
def test_transforms_whose_code_cannot_be_followed_are_reported(
    transform: Any, problem: str
) -> None:
    assert messages(view(transform=transform)) == [
        f"view 'activity': transform {problem}; declare it by `def` at the top of a module"
    ]


def test_a_transform_takes_one_argument() -> None:
    assert messages(view(transform=two)) == [
        "view 'activity': transform 'two' must take one argument, the DataFrame"
    ]


def test_a_transform_that_reaches_what_cannot_be_compared_is_reported() -> None:
    assert messages(view(transform=secretive)) == [
        "view 'activity': transform 'secretive': fingerprint 'LOCK': values of object "
        "cannot be compared between runs. Use plain values (numbers, text, tuples, dictionaries), "
        "or make it in the function."
    ]


def test_sql_selects_from_the_source() -> None:
    assert messages(view(transform="select * from payments")) == [
        "view 'activity': the SQL transform does not select from {source}, which stands for the "
        "source's rows"
    ]
