"""The source's columns behind each column of an SQL transform."""

import pytest

from featurestore.registry.lineage.sql_columns import expression_columns, sql_columns

# SQL, a column of its result, the columns of its expression, and those that decide rows.
KNOWN = [
    ("SELECT * FROM {source}", "a", "a", ""),
    ("SELECT *, cents / 100 AS euros FROM {source} WHERE ok", "euros", "cents", "ok"),
    ("SELECT A + b AS x FROM {source}", "X", "A b", ""),
    ("SELECT s.a, m.name FROM {source} s LEFT JOIN delta.`/m` m ON s.k = m.k", "name", "", "k"),
    ("SELECT * FROM {source} s JOIN delta.`/m` m USING (k)", "a", "a", "k"),
    ("SELECT a, x FROM {source} LATERAL VIEW explode(items) t AS x", "x", "items", "items"),
    ("SELECT a, explode(m) AS (k, v) FROM {source}", "v", "m", "m"),
    ("SELECT inline(rows) FROM {source}", "anything", "rows", "rows"),
    ("SELECT a, stack(2, b, c) AS v FROM {source}", "v", "b c", "b c"),
    ("SELECT payment.amount.value AS v FROM {source}", "v", "payment", ""),
    ("SELECT payment.* FROM {source}", "amount", "payment", ""),
    ("WITH q AS (SELECT a AS b FROM {source} WHERE ok) SELECT * FROM q", "b", "a", "ok"),
    ("SELECT t.y FROM (SELECT a FROM {source}) AS t(y)", "y", "a", ""),
    ("SELECT transform(xs, x -> x + b) AS y FROM {source}", "y", "xs b", ""),
    ("SELECT a FROM {source} UNION ALL SELECT b FROM {source} WHERE ok", "a", "a b", "ok"),
    ("SELECT * FROM {source} WHERE a UNION ALL SELECT * FROM {source} WHERE b", "z", "z", "a b"),
    ("SELECT a FROM {source} WHERE EXISTS (SELECT 1 FROM o WHERE o.k = id)", "a", "a", "id"),
    ("SELECT max(a) AS m, b FROM {source} GROUP BY b", "m", "a", "a b"),
    ("SELECT DISTINCT a, b FROM {source}", "a", "a", "a b"),
    ("SELECT a, row_number() OVER (ORDER BY t) AS n FROM {source}", "n", "t", ""),
    ("SELECT a FROM {source} QUALIFY row_number() OVER (ORDER BY t) = 1", "a", "a", "t"),
    ("FROM {source} |> WHERE ok |> SELECT a", "a", "a", "ok"),
    ("SELECT {source}.a FROM {source} -- a comment with b", "a", "a", ""),
    ("SELECT `a-b` AS x, \"text\" AS t FROM {source}", "x", "a-b", ""),
    ("SELECT count(*) AS n, k FROM {source} GROUP BY k", "n", "", "k"),
    ("SELECT a AS b, b + 1 AS c FROM {source}", "c", "a b", ""),
    ("SELECT b AS a, 1 AS x FROM {source} WHERE a > 1", "a", "b", "a"),
    ("SELECT id, inline_outer(items) FROM {source}", "price", "items", "items"),
    ("SELECT id, INLINE_OUTER(items) AS (a, b) FROM {source}", "b", "items", "items"),
    ("SELECT id, json_tuple(p, 'a', 'b') FROM {source}", "c0", "p", "p"),
    ("SELECT q.c0 FROM (SELECT json_tuple(p, 'a') FROM {source}) q", "c0", "p", "p"),
    ("SELECT explode_outer(xs) AS x FROM {source}", "x", "xs", "xs"),
    ("SELECT posexplode_outer(xs) FROM {source}", "pos", "xs", "xs"),
    ("SELECT variant_explode(v) FROM {source}", "value", "v", "v"),
    ("SELECT own_generator(v) AS (a, b) FROM {source}", "a", "v", "v"),
    ("SELECT a, b FROM {source} EXCEPT SELECT a, c FROM {source}", "a", "a", "a b c"),
    ("SELECT a, b FROM {source} MINUS SELECT x, y FROM delta.`/m`", "a", "a", "a b"),
    ("SELECT a FROM {source} INTERSECT ALL SELECT x FROM delta.`/m`", "a", "a", "a"),
    ("SELECT a, b FROM {source} UNION SELECT x, y FROM delta.`/m`", "a", "a", "a b"),
    ("SELECT a, s.b[0].c AS x FROM {source}", "x", "s", ""),
    ("SELECT CAST(a AS INT), (b) FROM {source}", "b", "b", ""),
    ("SELECT *, f(a) FROM {source}", "f", "f", ""),
    ("SELECT Q.X FROM (SELECT A AS x FROM {source}) q", "x", "A", ""),
    ("SELECT k FROM {source} s JOIN (SELECT x AS k FROM o) q USING (k)", "k", "k", "k"),
    ("SELECT a FROM {source} s LEFT SEMI JOIN (SELECT a FROM o) q ON s.k = q.a", "a", "a", "k"),
    ("SELECT g FROM (SELECT a + b AS g FROM (SELECT a, b FROM {source}) GROUP BY g)",
     "g", "a b", "a b"),
]  # fmt: skip
# What the parser, or this module, does not understand whole.
UNKNOWN = [
    "SELECT * FROM {source} UNPIVOT (v FOR n IN (a, b))",
    "SELECT * FROM {source} PIVOT (sum(v) FOR n IN ('a', 'b'))",
    "SELECT * FROM {source} NATURAL JOIN other",
    "SELECT struct(*) AS s FROM {source}",
    "SELECT a FROM {source} UNION ALL SELECT * FROM {source}",
    "SELECT DISTINCT * FROM {source}",
    "SELECT FROM WHERE {source}",
    "SELECT a FROM {source} TABLESAMPLE (10 PERCENT)",
    "WITH RECURSIVE q AS (SELECT a FROM {source} UNION ALL SELECT a FROM q) SELECT a FROM q",
    "SELECT x.a FROM {source} x JOIN {source} x",
    "SELECT b FROM {source}",  # no a
    "SELECT * EXCEPT (a) FROM {source}",
    "SELECT q.a FROM (SELECT b FROM {source}) q",
    "SELECT a FROM (SELECT b FROM {source}) q",
    "SELECT a + b FROM {source}",  # Spark names it by its text
    "SELECT * FROM {source} EXCEPT SELECT * FROM {source} WHERE b",
    "SELECT a FROM {source} UNION ALL BY NAME SELECT a FROM {source}",
    "SELECT a FROM {source} s, explode(s.xs) AS t(x)",
]


@pytest.mark.parametrize(("text", "column", "values", "rows"), KNOWN)
def test_a_column_of_the_result_has_the_columns_of_its_expression(
    text: str, column: str, values: str, rows: str
) -> None:
    found = sql_columns(text, (column,))

    assert found is not None
    assert found.values[column] == set(values.split())
    assert found.rows == set(rows.split())
    assert found.mentioned >= found.rows | found.values[column]


@pytest.mark.parametrize("text", UNKNOWN)
def test_a_query_that_is_not_understood_whole_has_no_answer(text: str) -> None:
    assert sql_columns(text, ("a",)) is None


def test_columns_that_no_result_needs_are_mentioned() -> None:
    found = sql_columns(
        "WITH unused AS (SELECT b FROM {source}) SELECT a, c + 1 AS d FROM {source}", ("a",)
    )

    assert found is not None
    assert found.values == {"a": {"a"}}
    assert found.mentioned == {"a", "b", "c"}


def test_a_column_that_is_left_out_is_mentioned() -> None:
    found = sql_columns("SELECT * EXCEPT (a) FROM {source}", ("b",))

    assert found is not None
    assert found.values == {"b": {"b"}}
    assert found.mentioned == {"a", "b"}  # Spark refuses to leave out what is not there


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("Price / nullif(amount, 0)", {"price", "amount"}),
        ("1 + 2", set()),
        ("list_sum(list_transform(xs, x -> x + y))", {"xs", "y"}),
        ("price +", None),
        ("(SELECT max(a) FROM t)", None),
    ],
)
def test_an_expression_names_its_columns(text: str, columns: set[str] | None) -> None:
    assert expression_columns(text) == columns
