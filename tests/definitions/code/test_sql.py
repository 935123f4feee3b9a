"""SQL in its normal form: layout does not count, everything else does."""

import pytest

from featurestore.definitions.code.sql import normal_sql, without_comments

SQL = "SELECT k, upper(name) AS u, x > 1.5 AS y FROM {source} WHERE k IN ('a', 'B') AND (x = 1)"


@pytest.mark.parametrize(
    "text",
    [
        SQL,
        f"{SQL};",
        f"-- why\n{SQL} -- all of it",
        f"/* one /* two */ SELECT */ {SQL}",
        SQL.replace(" ", "\n   "),
        SQL.replace("(", "(\n  ").replace(")", "\n)").replace(",", "  ,"),
        "select k,upper(name)as u,x>1.5 as y from {source} where k in('a','B')and(x=1)",
    ],
)
def test_layout_comments_and_the_case_of_keywords_do_not_count(text: str) -> None:
    assert normal_sql(text) == SQL


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT 'a' FROM {source}", "SELECT 'A' FROM {source}"),
        ("SELECT 'a  b' FROM {source}", "SELECT 'a b' FROM {source}"),
        ("SELECT 'it''s -- x' FROM {source}", "SELECT 'it''s' FROM {source}"),
        ("SELECT 'a\\'--b' FROM {source}", "SELECT 'a\\'--c' FROM {source}"),
        ("SELECT r'a\\' -- b\nFROM {source}", "SELECT r'a\\\\' -- b\nFROM {source}"),
        ('SELECT "a--b" FROM {source}', 'SELECT "a--c" FROM {source}'),
        ("SELECT `from` FROM {source}", "SELECT `FROM` FROM {source}"),
        ("SELECT `a--b` FROM {source}", "SELECT `a--c` FROM {source}"),
        ("SELECT x AS From FROM {source}", "SELECT x AS from FROM {source}"),
        ("SELECT s.End FROM {source} s", "SELECT s.END FROM {source} s"),
        ("SELECT Amount FROM {source}", "SELECT amount FROM {source}"),
        ("SELECT 1.5 FROM {source}", "SELECT 1. FROM {source}"),
        ("SELECT 1 - -1 FROM {source}", "SELECT 1 --1\nFROM {source}"),
        ("SELECT a < b FROM {source}", "SELECT a <= b FROM {source}"),
        ("SELECT ab FROM {source}", "SELECT a b FROM {source}"),
        ("SELECT /*+ REPARTITION(3) */ a FROM {source}", "SELECT a FROM {source}"),
        ("SELECT a -- b\n, c FROM {source}", "SELECT a -- b, c\nFROM {source}"),
        ("SELECT a /* , b */ FROM {source}", "SELECT a , b FROM {source}"),
    ],
)
def test_everything_else_counts(one: str, other: str) -> None:
    assert normal_sql(one) != normal_sql(other)


def test_the_text_that_runs_keeps_the_case_of_columns_that_are_named_like_keywords() -> None:
    text = "select k, offset /* of Kafka */, range, window from {source}; -- end"

    assert without_comments(text) == "select k, offset, range, window from {source}"
