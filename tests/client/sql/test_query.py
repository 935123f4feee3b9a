"""SQL reads the stored rows of views and Delta sources, in UTC, and makes spines."""

import pyarrow as pa
import pytest
from deltalake import write_deltalake

import featurestore as fs
from featurestore.definitions.model.manifest import Manifest
from featurestore.errors import RequestError
from featurestore.registry.plan import plan
from tests.client.shop import at, write_view
from tests.tables import feature_table


def test_a_spine_comes_from_sql_over_the_views_rows(filled):
    spine = filled.sql(
        "SELECT id, event_timestamp + INTERVAL 1 HOUR AS event_timestamp FROM profile"
    )

    frame = filled.get_historical_features("fraud", spine)

    rows = sorted(frame.to_arrow().to_pylist(), key=lambda row: row["event_timestamp"])
    assert [row["event_timestamp"] for row in rows] == [at(2), at(3), at(4)]
    assert [row["city"] for row in rows] == ["b", "b", None]


def test_a_delta_source_is_a_table_of_its_newest_version(filled, tmp_path):
    path = str(tmp_path / "data" / "paid")
    write_deltalake(path, pa.table({"x": [1, 2]}))
    write_deltalake(path, pa.table({"x": [5]}), mode="overwrite")

    assert filled.sql("SELECT x FROM paid").to_pydict() == {"x": [5]}


def test_a_view_without_rows_is_an_empty_table(store):
    write_view(store, "rate", feature_table({}, [1], {"euro": [1.0]}).slice(0, 0))

    assert store.sql("SELECT euro FROM rate").num_rows == 0


@pytest.mark.parametrize("text", ["", "-- nothing"])
def test_sql_that_returns_no_rows_is_an_error(filled, text):
    with pytest.raises(RequestError) as error:
        filled.sql(text)

    assert error.value.call == "sql()"
    assert "SELECT" in error.value.fix


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT * FROM profil", r"profil does not exist\. Did you mean 'profile'\?"),
        ("SELECT * FROM what", r"what does not exist\. Known: activity, profile, rate\."),
        (
            "SELECT town FROM profile",
            r'"town" not found.*\. Correct.* sql\(\'DESCRIBE profile\'\)',
        ),
        ("SELECT floorr(1)", r'floorr does not exist\. Did you mean "floor"\?'),
        ("SELECT * FORM profile", r"syntax error at or near.* e\.g\. SELECT \* FROM profile"),
        ("SELECT city::DATE FROM profile", r"sql\('DESCRIBE profile'\)"),
    ],
)
def test_wrong_sql_is_an_error_with_duckdbs_text_and_a_fix(filled, text, message):
    with pytest.raises(RequestError, match=message):
        filled.sql(text)


def test_a_view_without_a_table_is_an_error_with_the_command(store):
    with pytest.raises(RequestError, match=r"Run `featurestore materialize profile`"):
        store.sql("SELECT * FROM profile")


def test_several_statements_are_an_error_and_none_is_run(filled, tmp_path):
    written = tmp_path / "rows.csv"

    with pytest.raises(RequestError, match=r"2 statements.*SELECT"):
        filled.sql(f"COPY (SELECT 1) TO '{written}'; SELECT 2")

    assert not written.exists()


@pytest.mark.parametrize("text", ["SELECT 2 AS x;", "WITH a AS (SELECT 2 AS x) FROM a; -- done"])
def test_one_statement_may_end_with_a_semicolon(store, text):
    assert store.sql(text).to_pydict() == {"x": [2]}


def test_sql_shows_revised_and_deleted_rows_where_a_label_spine_does_not(tmp_path):
    orders = fs.FeatureView(
        "orders",
        entities=(fs.Entity("card", join_keys=(fs.Field("id", fs.Int64),)),),
        source=fs.DeltaSource(
            "o", path="data/o", timestamp_field="at", deleted_field="gone", unique_by=("no",)
        ),
        schema=(fs.Field("amount", fs.Float64),),
    )
    (tmp_path / "featurestore.toml").write_text('project = "orders"\n')
    store = fs.FeatureStore(tmp_path)
    store.apply(plan(None, Manifest.of([*orders.entities, orders.source, orders])))
    rows = feature_table({"id": [1, 1, 1]}, [1, 2, 3], {"amount": [1.0, 2.0, 4.0]})
    rows = rows.append_column("no", pa.array([7, 7, 8]))
    write_view(store, "orders", rows.append_column("_deleted", pa.array([False, False, True])))

    assert store.sql("SELECT amount FROM orders").num_rows == 3
    assert store.get_label_spine("orders")["amount"].to_pylist() == [2.0]


SORTED = "SELECT i, hash(i) AS h FROM range(3000000) AS t(i) ORDER BY h"


def test_the_memory_limit_also_limits_duckdb(filled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    folder = filled.settings.folder

    rows = fs.FeatureStore(folder, memory_limit="100MB").sql(SORTED)

    assert rows.num_rows == 3_000_000
    assert sorted(tmp_path.iterdir()) == before
    for limit in ("1kB", "20MB"):
        with pytest.raises(RequestError, match=r"Out of Memory.*memory_limit"):
            fs.FeatureStore(folder, memory_limit=limit).sql(SORTED)
    limit = "SELECT current_setting('memory_limit') AS m"
    assert fs.FeatureStore(folder, memory_limit="1GiB").sql(limit).to_pydict() == {
        "m": ["1.0 GiB"]
    }
