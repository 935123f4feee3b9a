"""Slips in SQL are seen without Spark, and right SQL is never refused."""

import pytest

from featurestore.definitions.code.sql_syntax import syntax_problem

RIGHT = [
    "SELECT * FROM {source}",
    "select *, amount >= 100 as large from {source} where status = 'it''s (open'",
    "SELECT * FROM {source} AS s WHERE s.x > 1",
    "SELECT * FROM {source} s LEFT JOIN (SELECT 1 AS k) t ON s.k = t.k",
    'WITH a AS (SELECT * FROM {source}) SELECT * FROM a WHERE `od(d` = "te(xt"',
    "FROM {source} SELECT *",
    "FROM {source} |> WHERE x > 1 |> SELECT *",
    "SELECT a[0], m['k'], s.f FROM {source} LATERAL VIEW explode(items) t AS item",
    "SELECT /*+ BROADCAST(s) */ * FROM {source} s -- a (comment'",
    "SELECT * FROM {source} TABLESAMPLE (10 PERCENT)",
    "SELECT * FROM {source} PIVOT (sum(x) FOR y IN ('a', 'b'))",
    "SELECT r'\\d(' AS p FROM {source}",
    "TABLE {source}",
    "SELECT * FROM (SELECT * FROM {source}), {source}",
    "SELECT * FROM {source} s, {source} t WHERE s.a = t.a",
    "SELECT x FROM {source} s WHERE CASE WHEN a THEN b ELSE c END",
    "(SELECT * FROM {source}) UNION ALL (SELECT * FROM {source})",
]


@pytest.mark.parametrize("text", RIGHT)
def test_right_sql_has_no_slip(text: str) -> None:
    assert syntax_problem(text) == ""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("SELECT * FROM {source} WHERE name = 'x", "'"),
        ('SELECT * FROM {source} WHERE name = "x', '"'),
        ("SELECT `a FROM {source}", "`"),
        ("SELECT upper(name FROM {source}", "'('"),
        ("SELECT upper(name)) FROM {source}", "')'"),
        ("SELECT a[0 FROM {source}", "'['"),
        ("SELECT (a] FROM {source}", "']'"),
        ("SELECT * FORM {source}", "FROM"),
        ("SELECT * FROM {source} WERE status = 'x'", "WHERE"),
        ("SELECT * FROM {source} AS s GRUOP BY k", "'GRUOP'"),
    ],
)
def test_a_slip_is_named(text: str, word: str) -> None:
    assert word in syntax_problem(text)
