"""Wrong arguments of public calls are errors of ours, before anything is done."""

import pandas as pd
import pyarrow as pa
import pytest

import featurestore as fs
from tests.client.shop import HOUR, at

ROWS = [{"id": 1, "event_timestamp": at(3)}]


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda s: s.apply("yes"), "plan"),
        (lambda s: s.apply(None), "plan"),
        (lambda s: s.materialize(full="yes"), "full"),
        (lambda s: s.materialize(on_failure="ignore"), "on_failure"),
        (lambda s: s.materialize(progress="yes"), "progress"),
        (lambda s: s.get_label_spine("activity", columns=5), "columns"),
        (lambda s: s.get_label_spine("activity", columns=[5]), "columns"),
        (lambda s: s.get_label_spine(5), "view"),
        (lambda s: s.get_label_spine(["activity"]), "view"),
        (lambda s: s.verify("fraud", sample="many"), "sample"),
        (lambda s: s.verify("fraud", seed=None), "seed"),
        (lambda s: s.verify("fraud", leakage="no"), "leakage"),
        (lambda s: s.write_source(5, ROWS), "name"),
        (lambda s: s.source_issues("all"), "declared"),
        (lambda s: s.preview(5, ROWS), "view"),
        (lambda s: s.get_historical_features("fraud", ROWS, timestamp_field=5), "timestamp_field"),
        (lambda s: s.get_historical_features("fraud", ROWS, timezone=5), "timezone"),
        (lambda s: s.get_historical_features("fraud", ROWS, null_times=True), "null_times"),
        (lambda s: s.get_latest_features("fraud", [{"id": 1}], at=5), "at"),
        (lambda s: s.get_training_set("fraud", ROWS, label=None), "label"),
        (lambda s: fs.Label(5, "*", "count", horizon="1h"), "view"),
        (lambda s: fs.Label("activity", None, "count", horizon="1h"), "column"),
        (lambda s: fs.Label("activity", "*", len, horizon="1h"), "function"),
        (lambda s: fs.Label("activity", "*", "count", horizon="1h", name=None), "name"),
        (lambda s: fs.Label("activity", "*", "count", horizon="1h", join_keys="id"), "join_keys"),
        (lambda s: fs.Label("activity", "*", "count", horizon="1h", immature="no"), "immature"),
        (lambda s: fs.Label("activity", "*", "count", horizon="1h", empty=[]), "empty"),
        (lambda s: fs.FeatureStore(5), "folder"),
        (lambda s: fs.FeatureStore(s.settings.folder, memory_limit=[]), "memory_limit"),
        (lambda s: fs.FeatureStore(s.settings.folder, clock=at(1)), "clock"),
        (lambda s: fs.time_grid([{"id": 1}], start=5, end="2026-01-02", every="1d"), "start"),
        (
            lambda s: fs.time_grid(
                [{"id": 1}], start="2026-01-01", end="2026-01-02", every="1d", timestamp_field=5
            ),
            "timestamp_field",
        ),
    ],
)
def test_an_argument_of_a_wrong_type_is_named(filled, call, name):
    with pytest.raises(fs.RequestError) as error:
        call(filled)

    assert f"{name} is" in error.value.found
    assert error.value.fix


def test_missing_and_surplus_arguments_are_named(filled):
    with pytest.raises(fs.RequestError, match="spine"):
        filled.get_historical_features("fraud")
    with pytest.raises(fs.RequestError, match="label="):
        filled.get_training_set("fraud", ROWS, "label", "more")


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda f: f.split_by_entity(5), "keys"),
        (lambda f: f.split_by_entity(["id", 5]), "keys"),
        (lambda f: f.split_by_entity("id", test="0.2"), "test"),
        (lambda f: f.split_by_entity("id", seed=1.5), "seed"),
        (lambda f: f.explain("city", 0), "row"),
        (lambda f: f.explain(0.5, "city"), "row"),
        (lambda f: f.split_by_time(5), "moment"),
        (lambda f: f.split_by_time("1970-01-01", gap=5), "gap"),
    ],
)
def test_a_frame_names_its_wrong_arguments(filled, call, name):
    frame = filled.get_historical_features("fraud", ROWS)

    with pytest.raises(fs.RequestError) as error:
        call(frame)

    assert f"{name} is" in error.value.found


def test_numbers_of_numpy_are_numbers(filled):
    frame = filled.get_historical_features("fraud", ROWS)
    first = pd.Series([0])[0]

    assert frame.explain(first, "city").value == "b"
    assert filled.verify("fraud", sample=pd.Series([5])[0]).ok


def test_a_frame_says_where_its_rows_are(filled):
    frame = filled.get_historical_features("fraud", ROWS)

    with pytest.raises(AttributeError, match="to_pandas"):
        frame.columns  # noqa: B018 - it is what is tested
    for wrong in (lambda: frame["city"], lambda: list(frame), lambda: pd.DataFrame(frame)):
        with pytest.raises(fs.RequestError, match="to_pandas"):
            wrong()
    assert pa.table(frame) == frame.to_arrow()


@pytest.mark.parametrize(
    ("names", "listed"),
    [
        ("profile,activity", "['profile', 'activity']"),
        ("profile:city, activity:count_2h", "['profile:city', 'activity:count_2h']"),
        ("activity:count_2h,amount_sum_2h", "['activity:count_2h', 'activity:amount_sum_2h']"),
    ],
)
def test_names_in_one_text_are_to_be_a_list(filled, names, listed):
    with pytest.raises(fs.NotFoundError) as error:
        filled.get_historical_features(names, ROWS)

    assert listed in error.value.fix


@pytest.mark.parametrize("names", ["profile:ctiy", "fraud:ctiy", "fruad", "profil:city"])
def test_what_may_not_be_applied_yet_names_apply(filled, names):
    with pytest.raises(fs.NotFoundError) as error:
        filled.get_historical_features(names, ROWS)

    assert "featurestore apply" in error.value.fix


def test_a_feature_of_a_service_is_that_of_its_use(filled):
    frame = filled.get_historical_features(["fraud:spot_euro", "fraud:city"], ROWS)

    assert frame.features == ("spot_euro", "city")
    assert frame.to_arrow()["spot_euro"].to_pylist() == [1.5]


def test_rows_without_known_keys_are_counted_in_the_frame(filled):
    spine = [{"id": number, "event_timestamp": at(3)} for number in (1, 70, 80, None)]

    frame = filled.get_historical_features("fraud", spine)

    assert {name: (each.rows, each.of) for name, each in frame.absent_keys.items()} == {
        "profile": (2, 3),
        "activity": (2, 3),
    }
    assert "2 with a key that is not in profile" in repr(frame)
    assert frame.split_by_entity("id")[0].absent_keys == {}
    assert frame.absent_keys["profile"].key == {"id": 70}
    assert HOUR  # the tables have the ids 1 and 2
    assert frame.absent_keys["profile"].stored == {"id": (1, 2)}
