"""Each name is one identifier of its SQL, whatever it has in it; and only one module quotes."""

import re
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from hypothesis import example, given, settings
from hypothesis import strategies as st

import featurestore
from featurestore.errors import RequestError
from featurestore.quoting import delta_text, duckdb_name, spark_name

HOSTILE = (
    "a`b", 'a"b', "a'b", "``", '""', "''", "a.b", "a--b", "/* a", "a; DROP TABLE t", "select",
    "a b", "{source}", "${a}", "%(a)s", ":a", "$1", "?", "a\\", "\\'", "\\\"", "\\`", "é\u0301",
    "\u202e", "🂡", "a\nb", "\ufeff", "\u2019", "\uff07", "\x7f", "",
)  # fmt: skip
NAMES = st.sampled_from(HOSTILE) | st.text(
    st.sampled_from("`\"'.-/*;\\{}$ ab\n") | st.characters(exclude_categories=["Cs"]), max_size=20
)
QUOTES = (spark_name, duckdb_name, delta_text)


@pytest.mark.parametrize("quote", QUOTES)
@given(first=NAMES, second=NAMES)
def test_two_names_are_never_quoted_alike(quote: object, first: str, second: str) -> None:
    assert callable(quote)
    first, second = first.replace("\x00", ""), second.replace("\x00", "")

    assert (quote(first) == quote(second)) == (first == second)


@pytest.mark.parametrize(("quote", "mark"), [(spark_name, "`"), (duckdb_name, '"')])
@given(name=NAMES)
def test_a_name_cannot_end_its_own_quotes(quote: object, mark: str, name: str) -> None:
    assert callable(quote)
    quoted = quote(name.replace("\x00", ""))

    assert quoted[0] == quoted[-1] == mark
    assert all(len(marks) % 2 == 0 for marks in re.findall(f"{mark}+", quoted[1:-1]))


@given(name=NAMES.filter(lambda name: "\x00" not in name and name != ""))
@settings(max_examples=50)
def test_duckdb_reads_the_name_that_was_quoted(name: str) -> None:
    with duckdb.connect() as connection:
        rows = connection.sql(f"SELECT 7 AS {duckdb_name(name)}").to_arrow_table()
        connection.register("t", pa.table({"other": [1], name: [7]}) if name != "other" else rows)
        read = connection.sql(f"SELECT {duckdb_name(name)} FROM t").fetchall()

    assert rows.column_names == [name]
    assert read == [(7,)]


@given(text=NAMES.filter(lambda text: "\x00" not in text))
@example("r1') OR ('' = '")
@settings(max_examples=15, deadline=None)
def test_delta_removes_the_record_whose_text_was_quoted_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    uri = str(tmp_path_factory.mktemp("table"))
    write_deltalake(uri, pa.table({"text": [text, f"{text}x", "other"]}))

    DeltaTable(uri).delete(f"text IN ({delta_text(text)})")

    left = pa.table(DeltaTable(uri).scan().read_all())["text"].to_pylist()
    assert sorted(left) == sorted({f"{text}x", "other"} - {text})


@pytest.mark.parametrize(
    ("quote", "name"),
    [
        *((quote, "a\ud800b") for quote in QUOTES),
        (duckdb_name, "a\x00b"),
        (delta_text, "a\x00b"),
    ],
)
def test_a_name_that_sql_cannot_have_is_refused(quote: object, name: str) -> None:
    assert callable(quote)
    with pytest.raises(RequestError) as caught:
        quote(name)

    assert repr(name) in caught.value.call
    assert "position 1" in caught.value.found


_QUOTING = re.compile(
    r"""replace\(\s*(["'])([`"'])\1\s*,\s*(?:\1\2\2|["'](['"])\2\2)  # marks are doubled
    |(?<!`)[`]\{\w                              # a name is put between backticks
    |(?:SELECT|FROM|TABLE|AS|BY|JOIN|INTO)\s+\\?['"]\{""",
    re.VERBOSE,
)


def test_no_other_module_quotes_names_or_texts_for_sql() -> None:
    package = Path(featurestore.__file__).parent
    quoting = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if _QUOTING.search(path.read_text("utf-8"))
    }

    assert quoting <= {"quoting.py"}
