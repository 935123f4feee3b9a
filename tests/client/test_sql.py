"""SQL sees the current rows of every view and Delta source, in UTC, and makes spines."""

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from featurestore.errors import RequestError
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
    place = str(tmp_path / "data" / "paid")
    write_deltalake(place, pa.table({"x": [1, 2]}))
    write_deltalake(place, pa.table({"x": [5]}), mode="overwrite")

    assert filled.sql("SELECT x FROM paid").to_pydict() == {"x": [5]}


def test_a_view_without_rows_is_an_empty_table(store):
    write_view(store, "rate", feature_table({}, [1], {"euro": [1.0]}).slice(0, 0))

    assert store.sql("SELECT euro FROM rate").num_rows == 0


@pytest.mark.parametrize("text", ["", "-- nothing"])
def test_sql_without_rows_is_told(filled, text):
    with pytest.raises(RequestError, match=r"the text gives no rows.*one SELECT"):
        filled.sql(text)


def test_wrong_sql_is_told_with_the_tables_there_are(filled):
    with pytest.raises(RequestError, match=r"profil does not exist.*Tables: activity, profile"):
        filled.sql("SELECT * FROM profil")
