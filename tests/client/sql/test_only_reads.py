"""SQL is one SELECT over the project's tables: it writes nothing and reads nothing else."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import featurestore as fs
from featurestore.errors import RequestError


@pytest.mark.parametrize(
    "text",
    [
        "COPY (SELECT * FROM profile) TO 'made.csv'",
        "COPY profile TO 'made.parquet' (FORMAT parquet)",
        "ATTACH 'made.db'",
        "EXPORT DATABASE 'made'",
        "IMPORT DATABASE 'made'",
        "CREATE TABLE made AS SELECT 1",
        "CREATE SECRET made (TYPE s3)",
        "INSERT INTO profile VALUES (1)",
        "DELETE FROM profile",
        "UPDATE profile SET city = 'x'",
        "DROP VIEW profile",
        "SET memory_limit = '100GB'",
        "SET GLOBAL enable_external_access = true",
        "RESET memory_limit",
        "PRAGMA memory_limit = '100GB'",
        "CALL pragma_version()",
        "INSTALL httpfs",
        "LOAD httpfs",
        "BEGIN",
        "CHECKPOINT",
        "PREPARE made AS SELECT 1",
        "EXPLAIN ANALYZE DELETE FROM profile",
        "PIVOT profile ON city USING count(*)",
        "WITH made AS (INSERT INTO profile VALUES (1) RETURNING *) FROM made",
        "FROM query('COPY (SELECT 1) TO ''made.csv''')",
    ],
)
def test_a_text_that_is_no_select_is_refused_and_makes_nothing(
    filled: fs.FeatureStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))

    with pytest.raises(RequestError) as caught:
        filled.sql(text)

    assert caught.value.call == "sql()"
    assert sorted(tmp_path.rglob("*")) == before
    assert filled.sql("SELECT count(*) AS n FROM profile").to_pydict() == {"n": [3]}


def test_a_function_that_logs_to_a_file_makes_none(
    filled: fs.FeatureStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))

    with suppress(RequestError):  # of DuckDB 2
        filled.sql("FROM enable_logging(storage = 'file', storage_path = 'made')")

    assert sorted(tmp_path.rglob("*")) == before
    assert filled.sql("SELECT count(*) AS n FROM profile").to_pydict() == {"n": [3]}


@pytest.mark.parametrize(
    "text",
    [
        "SELECT content FROM read_text('{file}')",
        "SELECT * FROM read_csv('{file}')",
        "SELECT * FROM read_blob('{file}')",
        "SELECT * FROM '{file}'",
        "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM sniff_csv('{file}')",
        "SELECT * FROM parquet_metadata('{file}')",
        "SELECT * FROM query_table('{file}')",
        "SELECT * FROM query('FROM read_text(''{file}'')')",
        "SELECT * FROM 'https://example.com/secret.csv'",
        "SELECT (SELECT content FROM read_text('{file}')) FROM profile",
    ],
)
def test_no_file_is_read(filled: fs.FeatureStore, tmp_path: Path, text: str) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")

    with pytest.raises(RequestError) as caught:
        filled.sql(text.format(file=secret, folder=tmp_path))

    assert "activity, profile, rate" in caught.value.fix or "Did you mean" in caught.value.fix


def test_a_python_variable_is_no_table(filled: fs.FeatureStore) -> None:
    layout = filled.layout
    rows = pa.table({"x": [1]})
    assert layout
    assert rows.num_rows == 1

    for name in ("rows", "layout", "manifest", "tables"):
        with pytest.raises(RequestError, match=f"{name} does not exist"):
            filled.sql(f"SELECT * FROM {name}")


def test_the_tables_are_listed_and_described(filled: fs.FeatureStore) -> None:
    listed = filled.sql("SHOW TABLES")
    described = filled.sql("DESCRIBE profile")
    columns = filled.sql("SELECT table_name FROM information_schema.columns WHERE column_name='x'")

    assert listed.to_pydict() == {"name": ["activity", "profile", "rate"]}
    assert "city" in described["column_name"].to_pylist()
    assert columns.num_rows == 0


@pytest.mark.parametrize("text", ["SELECT 1" + " + 1" * 5000, "SELECT " + "-(" * 2000 + "1"])
def test_sql_nested_deeply_is_an_error(filled: fs.FeatureStore, text: str) -> None:
    with pytest.raises(RequestError) as caught:
        filled.sql(text)

    assert caught.value.call == "sql()"


def test_a_lone_surrogate_is_an_error(filled: fs.FeatureStore) -> None:
    with pytest.raises(RequestError) as caught:
        filled.sql("SELECT '\ud800'")

    assert "surrogate" in caught.value.fix


@pytest.mark.parametrize("text", [None, 5, b"SELECT 1", ["SELECT 1"]])
def test_what_is_no_text_is_an_error(filled: fs.FeatureStore, text: Any) -> None:
    with pytest.raises(RequestError) as caught:
        filled.sql(text)

    assert type(text).__name__ in caught.value.found
