"""Laws of the lineage of SQL, by running queries: DuckDB gives the results."""

from collections.abc import Iterable
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa
import sqlglot
from hypothesis import example, given
from hypothesis import strategies as st

from featurestore.registry.lineage.sql_columns import sql_columns
from tests.effort import examples

COLUMNS = ("id", "a", "b", "c", "d")
ROWS = 6


def expressions(names: Iterable[str]) -> st.SearchStrategy[str]:
    column = st.sampled_from(sorted(names))
    return st.one_of(
        column,
        st.builds("{} + {}".format, column, column),
        st.builds("CASE WHEN {} > 2 THEN {} ELSE 0 END".format, column, column),
        st.builds("(SELECT max(o.w) FROM other o WHERE o.k = {})".format, column),
        st.builds("named_struct('p', {}, 'q', {}).p".format, column, column.map(str.upper)),
    )


def conditions(names: Iterable[str]) -> st.SearchStrategy[str]:
    column = st.sampled_from(sorted(names))
    return st.one_of(
        st.just("TRUE"),
        st.builds("{} > {}".format, column, st.integers(0, 3)),
        st.builds("EXISTS (SELECT 1 FROM other o WHERE o.k = {})".format, column),
    )


# The forms of a level whose result has the columns id and x.
FORMS = {
    "list": "SELECT id, {made} AS x FROM {read} WHERE {where}",
    "with": "WITH q AS (SELECT id, {made} AS x FROM {read}) SELECT q.id, q.x FROM q",
    "union": "SELECT id, {made} AS x FROM {read} WHERE {where} UNION ALL "
    "SELECT id, {other} FROM {read}",
    "union of rows": "SELECT id, {made} AS x FROM {read} UNION SELECT id, {other} FROM {read}",
    "minus": "SELECT id, x FROM (SELECT id, {made} AS x, {column} FROM {read} WHERE {where} "
    "EXCEPT SELECT id, {other}, {column} FROM {read}) AS m",
    "intersect": "SELECT id, x FROM (SELECT id, {made} AS x, {column} FROM {read} WHERE {where} "
    "INTERSECT SELECT id, {other}, {column} FROM {read}) AS m",
    "distinct": "SELECT id, x FROM (SELECT DISTINCT 1 AS id, {made} AS x, {column} FROM {read}) m",
    "group": "SELECT id, max(x) AS x FROM (SELECT id, {made} AS x, {column} FROM {read}) AS m "
    "GROUP BY ID, {column}",
    "group by a projection": "SELECT 1 AS id, {column} + 1 AS g, count(*) AS x FROM {read} "
    "GROUP BY g",
    "generator": "SELECT id, explode(array({made}, {column})) AS x FROM {read} WHERE {where}",
    "generated rows": "SELECT id, explode(sequence(0, {column})) AS x FROM {read}",
    "lateral": "SELECT id, X FROM (SELECT id, {made} AS y, {column} FROM {read}) AS m "
    "LATERAL VIEW explode(array(y, M.{column})) t AS x",
    "struct": "SELECT ID, s.Q AS x FROM "
    "(SELECT id, named_struct('p', {column}, 'q', {made}) AS S FROM {read}) AS m",
    "structs": "SELECT id, s.* FROM (SELECT id, named_struct('x', {made}) AS s FROM {read}) AS m",
    "alias": "SELECT id, {column} AS y, y + 1 AS x FROM {read}",
    "semi": "SELECT id, {made} AS x FROM {read} LEFT SEMI JOIN "
    "(SELECT k AS n, w AS {column} FROM other) o ON n = id",
    "using": "SELECT id, {made} AS x FROM {read} JOIN (SELECT k AS id, w FROM other) o USING (id)",
    "upper": "SELECT ID, {upper} AS X FROM {read} WHERE {where}",
}


@st.composite
def queries(draw: st.DrawFn) -> str:
    """Draw SQL of Spark, of some levels; each level has the columns id and x."""
    text, names, is_nested = "{source}", list(COLUMNS), False
    for level in range(draw(st.integers(1, 3))):
        read = f"({text}) AS r{level}" if is_nested else f"{text} AS r{level}"
        where, made, other = draw(conditions(names)), draw(expressions(names)), ""
        form = draw(st.sampled_from(("star", "except", "join", *FORMS)))
        column = draw(st.sampled_from([n for n in names if n not in ("id", "x")] or ["id"]))
        if form == "star" and "x" not in names:
            text, names = f"SELECT *, {made} AS x FROM {read} WHERE {where}", [*names, "x"]
        elif form == "except":
            out = draw(st.sampled_from([n for n in names if n != "id"]))
            text = f"SELECT * EXCEPT ({out}), {made} AS {out} FROM {read} WHERE {where}"
        elif form == "join":
            on = f"o.k = r{level}.id"
            text = f"SELECT id, {made} AS x, o.w AS v FROM {read} JOIN other o ON {on}"
            text, names = f"{text} WHERE {where}", ["id", "x", "v"]
        else:
            form = form if column != "id" and form in FORMS else "list"
            other, upper = draw(expressions(names)), column.upper()
            text, names = (
                FORMS[form].format(
                    made=made, other=other, column=column, upper=upper, where=where, read=read
                ),
                ["id", "x"],
            )
        is_nested = True
    return text


values = st.lists(st.integers(0, 4), min_size=ROWS, max_size=ROWS)
tables = st.fixed_dictionaries(dict.fromkeys(COLUMNS[1:], values)).map(
    lambda columns: {"id": list(range(ROWS)), **columns}
)


@cache
def database() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(config={"threads": 1})
    connection.register("other", pa.table({"k": [0, 1, 2, 2], "w": [5, 6, 7, 8]}))
    return connection


FIRST = {"id": list(range(ROWS)), **dict.fromkeys(COLUMNS[1:], [1] * ROWS)}


def answer(text: str, rows: dict[str, list[int]]) -> pa.Table:
    query = sqlglot.transpile(text.replace("{source}", "src"), read="spark", write="duckdb")[0]
    connection = database()
    connection.register("src", pa.table(rows))
    return connection.sql(query).to_arrow_table()


def lower(names: Iterable[str]) -> set[str]:
    return {name.lower() for name in names}


def pairs(table: pa.Table, name: str) -> list[Any]:
    low = {column.lower(): column for column in table.column_names}
    values = map(str, table[low[name.lower()]].to_pylist())
    return sorted(zip(table[low["id"]].to_pylist(), values, strict=True))


@given(queries(), tables, tables)
@examples(50)
def test_columns_that_do_not_reach_a_result_do_not_change_it(
    text: str, rows: dict[str, list[int]], others: dict[str, list[int]]
) -> None:
    before = answer(text, rows)
    found = sql_columns(text, tuple(before.column_names))
    assert found is not None

    own = next(name for name in before.column_names if name.lower() == "id")
    for name in before.column_names:
        reaching = lower(found.values[name] | found.values[own] | found.rows)
        changed = {each: (rows if each in reaching else others)[each] for each in rows}
        assert pairs(answer(text, changed), name) == pairs(before, name)


# A column that only an inner query names.
@example("SELECT id, id AS x FROM (SELECT id, a AS y FROM {source}) AS r", FIRST)
@given(queries(), tables)
@examples(50)
def test_the_source_may_lose_a_column_that_is_not_mentioned(
    text: str, rows: dict[str, list[int]]
) -> None:
    before = answer(text, rows)
    # The last level alone decides which names of a star a view takes.
    found = sql_columns(
        text, tuple(n for n in before.column_names if n.lower() in ("id", "x", "v"))
    )
    assert found is not None

    kept = lower(found.mentioned) | {"id"}
    after = answer(text, {name: rows[name] for name in rows if name in kept})

    for name in found.values:
        assert pairs(after, name) == pairs(before, name)
