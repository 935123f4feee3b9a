from dataclasses import replace
from datetime import date
from functools import partial, wraps
from typing import Any

import pytest

from featurestore.definitions.model.view import Code
from tests.definitions.rules.cases import PAYMENTS, issues, missing, view

LOCK = object()


def settled(rows: Any) -> Any:
    return rows.filter("settled")


def optional(rows: Any, limit: int = 3) -> Any:
    return rows.limit(limit)


def two(rows: Any, other: Any) -> Any:
    return rows.union(other)


def secretive(rows: Any) -> Any:
    return rows, LOCK


def of_this_day(rows: Any) -> Any:
    return rows, date.today()  # noqa: DTZ011 - refused by the rule


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


def test_a_function_that_reads_the_clock_is_refused_as_sql_is() -> None:
    made = view(transform=of_this_day)

    [issue] = issues(made)

    assert (issue.rule, issue.origin) == ("functions_do_not_read_the_clock", made.origin)
    assert missing(issue, "view 'activity'", "date.today") == []


def test_sql_selects_from_the_source() -> None:
    [issue] = issues(view(transform="select * from payments"))

    assert issue.rule == "sql_selects_from_the_source"
    assert missing(issue, "view 'activity'", "FROM {source}") == []


@pytest.mark.parametrize(
    ("sql", "clause"),
    [
        ("SELECT k, lag(v) OVER (PARTITION BY k ORDER BY t) AS v FROM {source}", "OVER"),
        ("select k, sum(v) as v from {source} group by k", "GROUP BY"),
        ("SELECT DISTINCT k FROM {source}", "DISTINCT"),
        ("SELECT count(DISTINCT k) AS k FROM {source}", "DISTINCT"),
        ("SELECT * FROM {source} ORDER BY t LIMIT 5", "LIMIT"),
        ("SELECT * FROM {source} TABLESAMPLE (10 PERCENT)", "TABLESAMPLE"),
        ("SELECT k FROM {source} EXCEPT SELECT k FROM {source} WHERE v = 1", "EXCEPT"),
        ("SELECT * FROM (SELECT k, row_number() OVER (ORDER BY t) AS n FROM {source})", "OVER"),
    ],
)
def test_sql_that_surely_combines_rows_is_refused(sql: str, clause: str) -> None:
    [issue] = issues(view(transform=sql))

    assert issue.rule == "sql_works_row_by_row"
    assert missing(issue, clause, "aggregations=") == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT limit, offset, over, `group` FROM {source} -- GROUP BY k",
        "SELECT * EXCEPT (k), 'a LIMIT 5' AS t FROM {source}",
        "SELECT * FROM {source} WHERE k IS DISTINCT FROM v",
        "SELECT *, (SELECT max(x) FROM other GROUP BY y) AS m FROM {source}",
        "SELECT s.* FROM {source} s JOIN (SELECT DISTINCT k FROM other) USING (k)",
        "SELECT *, extract(YEAR FROM t) AS y FROM {source}",
        "SELECT * FROM {source} UNION ALL SELECT * FROM {source}",
        "WITH s AS (SELECT * FROM {source}) SELECT * FROM s",
    ],
)
def test_sql_that_may_work_row_by_row_is_left_to_spark(sql: str) -> None:
    assert issues(view(transform=sql)) == []


@pytest.mark.parametrize(
    ("sql", "part"),
    [
        ("INSERT OVERWRITE DIRECTORY 'x' USING csv SELECT * FROM {source}", "INSERT"),
        ("/* SELECT */ CREATE TABLE t AS SELECT * FROM {source}", "CREATE"),
        ("explain select * from {source}", "EXPLAIN"),
        ("SELECT * FROM {source}; DROP TABLE t", "2 statements"),
    ],
)
def test_sql_that_is_no_single_query_is_refused(sql: str, part: str) -> None:
    [issue] = issues(view(transform=sql))

    assert issue.rule == "sql_is_one_query"
    assert missing(issue, part) == []


@pytest.mark.parametrize(
    "expression",
    ["rand()", "RAND(5)", "now()", "current_timestamp()", "uuid()", "current_date ()"],
)
def test_sql_that_depends_on_the_run_is_refused(expression: str) -> None:
    [issue] = issues(view(transform=f"SELECT *, {expression} AS x FROM {{source}}"))

    assert issue.rule == "sql_does_not_depend_on_the_run"
    assert missing(issue, expression.partition("(")[0].strip(), "column of the source") == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT *, now, s.rand, 'uuid()' AS t FROM {source} s",
        "SELECT *, 'it''s now()' AS `rand()`, \"uuid()\" AS t /* now() */ FROM {source} -- rand()",
        "WITH now(k) AS (SELECT k FROM {source}) SELECT * FROM now",
        "SELECT s.*, random.k FROM {source} s JOIN (VALUES (1)) AS random(k) USING (k)",
    ],
)
def test_a_column_or_a_text_with_the_name_of_such_a_function_is_allowed(sql: str) -> None:
    assert issues(view(transform=sql)) == []


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("SELECT *, DATE 'today' AS x FROM {source}", "DATE 'today'"),
        ("SELECT *, timestamp ' NOW ' AS x FROM {source}", "timestamp ' NOW '"),
        ("SELECT *, now() AS x FROM {source}", "now()"),
    ],
)
def test_the_moment_of_the_run_is_no_feature(sql: str, name: str) -> None:
    [issue] = issues(view(transform=sql), PAYMENTS)

    assert missing(issue, name, "in each run") == []


def again(rows: Any) -> Any:
    other = rows.sparkSession.read.format("delta").load("/srv/shop/data/payments")
    return rows.join(other, "card_id")


def test_a_function_does_not_read_its_source_a_second_time() -> None:
    source = replace(PAYMENTS, path="data/payments")

    [issue] = issues(view(transform=again, source=source), source)

    assert missing(issue, "second time") == []
    other = replace(PAYMENTS, path="data/other")
    assert issues(view(transform=again, source=other), other) == []


@pytest.mark.parametrize("path", [PAYMENTS.path, f"/srv/shop/{PAYMENTS.path}/"])
def test_a_source_is_not_read_a_second_time_by_its_path(path: str) -> None:
    joined = "SELECT a.* FROM {source} a JOIN delta.`%s` b ON a.k = b.k"

    [issue] = issues(view(transform=joined % path), PAYMENTS)

    assert missing(issue, "view 'activity'", "second time", "aggregations=") == []
    assert issues(view(transform=joined % "data/other"), PAYMENTS) == []
    same_name = "SELECT a.`%s` FROM {source} a JOIN delta.`x` b ON a.k = b.k"
    assert issues(view(transform=same_name % PAYMENTS.path), PAYMENTS) == []
