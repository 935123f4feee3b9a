"""A call takes rows in any form, and says what is wrong with its arguments."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import featurestore as fs
from featurestore.errors import RequestError, SpineError
from tests.client.shop import NOW, at

ROWS = [{"id": 1, "event_timestamp": at(3)}]


@pytest.mark.parametrize(
    "rows",
    [
        [{}, {}],
        pd.DataFrame(index=[7, 8]),
        pa.table({"x": [1, 2]}).select([]),
        pa.table({"event_timestamp": [NOW, NOW]}).select([]),
    ],
    ids=["dicts", "pandas", "arrow", "arrow after a selection"],
)
def test_a_view_without_entities_answers_one_row_for_each_row(
    filled: fs.FeatureStore, rows: Any
) -> None:
    frame = filled.get_latest_features(["rate"], rows)

    assert frame.to_arrow().to_pylist() == [{"event_timestamp": NOW, "euro": 1.5}] * 2


@pytest.mark.parametrize(
    "rows", [ROWS, pd.DataFrame(ROWS), pa.table({"id": [1]}), "spine.csv", Path("spine.csv")]
)
@pytest.mark.parametrize("features", ["fraud", ["profile:city"]])
def test_rows_in_the_place_of_features_are_an_error_that_says_so(
    filled: fs.FeatureStore, rows: Any, features: Any
) -> None:
    with pytest.raises(SpineError) as historical:
        filled.get_historical_features(rows, features)
    with pytest.raises(SpineError) as training:
        filled.get_training_set(rows, features, label="y")
    with pytest.raises(SpineError) as latest:
        filled.get_latest_features(rows, features)

    for refused in (historical, training, latest):
        assert refused.value.call.startswith("get_")
        assert "features first" in refused.value.fix


def test_an_object_that_names_no_features_is_an_error(filled: fs.FeatureStore) -> None:
    with pytest.raises(RequestError) as refused:
        filled.get_historical_features([None], ROWS)

    assert "NoneType" in refused.value.found


def test_a_spine_file_has_the_types_that_the_views_declare(
    filled: fs.FeatureStore, tmp_path: Path
) -> None:
    spine = tmp_path / "spine.csv"
    spine.write_text("id,event_timestamp,zip,y\n01,1970-01-01T04:00:00+01:00,00501,1\n")

    table = filled.get_training_set("fraud", spine, label="y").to_arrow()
    label = fs.Label("activity", "*", "count", horizon="1h")
    labelled = filled.get_training_set(["rate"], spine, label=label).to_arrow()
    report = filled.verify("fraud", spine=spine)

    assert table.select(["id", "event_timestamp", "zip", "y", "city"]).to_pylist() == [
        {"id": 1, "event_timestamp": at(3), "zip": "00501", "y": 1, "city": "b"}
    ]
    assert labelled.select(["id", "label"]).to_pylist() == [{"id": 1, "label": 0}]
    assert report.ok


@pytest.mark.parametrize("text", ["7.5", "0x7", "NA"])
def test_a_key_in_a_file_that_is_no_integer_is_refused_with_its_line(
    filled: fs.FeatureStore, tmp_path: Path, text: str
) -> None:
    spine = tmp_path / "keys.csv"
    spine.write_text(f"id\n7\n{text}\n")

    with pytest.raises(SpineError) as refused:
        filled.get_latest_features("fraud", spine)

    assert str(spine) in refused.value.call
    assert [fact for fact in ("'id'", "line 3", text) if fact not in refused.value.found] == []


def test_another_value_of_null_times_is_an_error_with_the_two_values(
    filled: fs.FeatureStore,
) -> None:
    with pytest.raises(RequestError) as refused:
        filled.get_historical_features("fraud", ROWS, null_times="drop")  # type: ignore[arg-type]

    assert "'drop'" in refused.value.found
    assert [each for each in ("error", "keep") if each not in refused.value.fix] == []


@pytest.mark.parametrize("name", [None, ["event_timestamp"], 5])
def test_a_time_column_that_is_no_name_is_an_error(filled: fs.FeatureStore, name: Any) -> None:
    with pytest.raises(RequestError) as refused:
        filled.get_historical_features("fraud", ROWS, timestamp_field=name)

    assert repr(name) in refused.value.found


def test_a_key_that_is_the_time_column_too_is_refused(filled: fs.FeatureStore) -> None:
    with pytest.raises(SpineError) as refused:
        filled.get_historical_features("fraud", ROWS, timestamp_field="id")

    assert "'id'" in refused.value.found
    assert "timestamp_field=" in refused.value.fix


def test_a_grid_of_rows_without_keys_has_a_row_for_each_moment(filled: fs.FeatureStore) -> None:
    grid = fs.time_grid([{}], start=at(1), end=at(3), every="1h")

    answers = filled.get_historical_features(["rate"], grid).to_arrow()

    assert grid.to_pylist() == [{"event_timestamp": at(1)}, {"event_timestamp": at(2)}]
    assert answers["euro"].to_pylist() == [1.5, 1.5]
