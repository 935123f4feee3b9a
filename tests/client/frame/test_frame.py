"""A frame converts its rows to other libraries with their types and nulls."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from featurestore.client.frame.frame import FeatureFrame, with_label
from featurestore.client.frame.view_read import ViewRead
from featurestore.errors import RequestError

TIMES = [datetime(2026, 3, day, tzinfo=UTC) for day in (1, 2, 3)]
TABLE = pa.table(
    {
        "event_timestamp": pa.array(TIMES, pa.timestamp("us", tz="UTC")),
        "y": [0, 1, 0],
        "n": pa.array([1, None, 3], pa.int64()),
        "flag": pa.array([True, None, False]),
        "city": ["a", None, "b"],
    }
)


def frame(*features: str) -> FeatureFrame:
    return FeatureFrame(TABLE, features, label="y")


def test_integers_and_booleans_with_nulls_keep_their_types_in_pandas() -> None:
    result = frame("n").to_pandas()

    assert result["n"].dtype == pd.Int64Dtype()
    assert result["n"].tolist() == [1, pd.NA, 3]
    assert result["flag"].dtype == pd.BooleanDtype()
    assert result["y"].dtype == np.int64


def test_polars_has_the_same_rows() -> None:
    assert frame("n").to_polars()["n"].to_list() == [1, None, 3]


def test_numpy_has_numbers_with_nulls_as_nan_and_the_label() -> None:
    matrix, label = frame("n", "flag").to_numpy()

    np.testing.assert_array_equal(matrix, [[1, 1], [np.nan, np.nan], [3, 0]])
    assert label.tolist() == [0, 1, 0]
    with pytest.raises(RequestError, match=r"'city'.*string"):
        frame("city").to_numpy()


def test_a_split_by_time_excludes_the_gap() -> None:
    train, test = frame("n").split_by_time("2026-03-03", gap="1d")

    assert train.to_arrow()["event_timestamp"].to_pylist() == TIMES[:1]
    assert test.to_arrow()["event_timestamp"].to_pylist() == TIMES[2:]
    assert test.label == "y"


def test_a_label_that_the_spine_lacks_is_an_error_with_near_names() -> None:
    with pytest.raises(RequestError) as error:
        with_label(frame("n"), "city_", "the call")

    assert error.value.call == "the call"
    assert "'city_'" in error.value.found
    assert "'city'" in error.value.fix


def test_the_text_of_a_frame_has_its_size_and_no_values() -> None:
    views = {"v": ViewRead(("n", "flag")), "w": ViewRead(("y",))}

    assert repr(FeatureFrame(TABLE, ("n",), label="y", views=views)) == (
        "FeatureFrame(3 rows, 1 feature, label 'y', 1 with a null key in v)"
    )


def test_a_part_counts_the_null_keys_of_its_rows() -> None:
    views = {"v": ViewRead(("n", "city"))}
    early, late = FeatureFrame(TABLE, (), views=views).split_by_time("2026-03-03")

    assert (early.null_key_rows, late.null_key_rows) == ({"v": 1}, {"v": 0})
    assert "1 with a null key in v" in repr(early)
    assert "null key" not in repr(late)


def test_a_part_of_the_entities_counts_the_null_keys_of_its_rows() -> None:
    table = pa.table({"id": list(range(100)), "shop": [1, None] * 50})
    rows = FeatureFrame(table, (), views={"v": ViewRead(("shop",))})

    for part in rows.split_by_entity("id", test=0.5):
        assert part.null_key_rows == {"v": part.to_arrow()["shop"].null_count}
        assert 0 < part.null_key_rows["v"] < 50


def test_a_null_key_is_counted_whatever_its_encoding() -> None:
    key = pa.DictionaryArray.from_arrays(pa.array([0, 1, None], pa.int8()), ["a", None])
    views = {"v": ViewRead(("k",))}

    assert FeatureFrame(pa.table({"k": key}), (), views=views).null_key_rows == {"v": 2}
    runs = pa.RunEndEncodedArray.from_arrays([1, 3], ["a", None])
    assert FeatureFrame(pa.table({"k": runs}), (), views=views).null_key_rows == {"v": 2}
