"""A label is what is known of the horizon once it is over: no sooner, and the same ever after."""

import sys
from datetime import timedelta

import pyarrow as pa
import pytest

import featurestore as fs
from featurestore.client.label import Label
from featurestore.errors import NotFoundError, RequestError, SpineError
from featurestore.store.columns import UTC_MICROS
from tests.client.shop import HOUR, NOW, at, write_view
from tests.tables import feature_table


@pytest.fixture
def paid(store: fs.FeatureStore) -> fs.FeatureStore:
    """Card 1 pays at 1, 2 and 3 o'clock; the payment of 2 is known at 5 only."""
    events = [1 * HOUR, 2 * HOUR, 3 * HOUR]
    table = feature_table(
        {"id": [1, 1, 1]}, events, {"amount": [1.0, 2.0, 4.0]}, [HOUR, 5 * HOUR, 3 * HOUR]
    )
    write_view(store, "activity", table)
    return store


def training(store: fs.FeatureStore, label: Label, *hours: float, card: int = 1) -> list[dict]:
    spine = [{"id": card, "event_timestamp": at(hour)} for hour in hours]
    frame = store.get_training_set(["activity:count_2h"], spine, label=label)
    assert frame.label == label.name
    return frame.to_arrow().to_pylist()


def test_a_label_sums_what_came_after_the_moment_up_to_the_horizon(paid):
    label = Label("activity", "amount", "sum", horizon="2h", maturity="4h", name="spent")

    rows = training(paid, label, 0, 1, 2.5)

    assert [row["spent"] for row in rows] == [3.0, 6.0, 4.0]
    assert [row["count_2h"] for row in rows] == [0, 0, 1]


def test_rows_known_after_maturity_never_change_a_label(paid):
    soon = Label("activity", "amount", "sum", horizon="2h")

    assert [row["label"] for row in training(paid, soon, 0, 1)] == [1.0, 4.0]


def test_rows_whose_horizon_is_not_over_are_dropped_or_kept_without_a_label(paid):
    drop = Label("activity", "*", "count", horizon="2h", maturity="1h")
    keep = Label("activity", "*", "count", horizon="2h", maturity="1h", immature="keep")
    last = (NOW - timedelta(hours=3) - at(0)).total_seconds() / 3600

    assert [row["label"] for row in training(paid, drop, 0.5, last, last + 0.001)] == [1, 0]
    assert [row["label"] for row in training(paid, keep, 0.5, last, last + 0.001)] == [1, 0, None]


def test_immature_rows_are_dropped_from_a_spine_with_views_of_text(paid):
    label = Label("activity", "*", "count", horizon="2h")
    spine = pa.table(
        {
            "id": [1, 1],
            "event_timestamp": pa.array([at(0.5), at(11)], UTC_MICROS),
            "note": pa.array(["a", "b"], pa.string_view()),
        }
    )

    table = paid.get_training_set(["activity:count_2h"], spine, label=label).to_arrow()

    assert table.select(spine.column_names) == spine.slice(0, 1)


def test_a_key_that_the_view_does_not_know_has_an_empty_horizon(paid):
    label = Label("activity", "amount", "sum", horizon="2h", empty=0.0)

    assert training(paid, label, 0, card=7)[0]["label"] == 0.0


@pytest.mark.parametrize(
    ("label", "error", "message"),
    [
        (Label("activity_", "*", "count", horizon="1h"), NotFoundError, "Did you mean 'activity'"),
        (Label("activity", "amuont", "sum", horizon="1h"), NotFoundError, "mean 'amount'"),
        (
            Label("profile", "city", "sum", horizon="1h"),
            RequestError,
            "'sum' has no meaning.*It can count, min",
        ),
        (Label("activity", "*", "count", horizon="1h", name="id"), SpineError, "a column 'id'"),
    ],
)
def test_a_label_that_cannot_be_is_told(paid, label, error, message):
    with pytest.raises(error, match=message):
        training(paid, label, 0)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"horizon": "0h"}, r"the label's horizon is 0"),
        ({"horizon": "-1h"}, r"horizon: not a whole number"),
        ({"horizon": "1h", "maturity": "soon"}, r"maturity: not a whole number"),
        ({"horizon": "1h", "immature": "fleg"}, r"immature is 'fleg'.*Did you mean 'flag'"),
    ],
)
def test_a_label_that_looks_back_is_refused_where_it_is_written(wrong, message):
    line = sys._getframe().f_lineno + 2
    with pytest.raises(RequestError, match=message) as raised:
        Label("activity", "*", "count", **wrong)

    assert f"{__file__}:{line}" in str(raised.value)


def test_a_split_leaves_out_whose_labels_were_not_known_when_the_test_part_begins(paid):
    label = Label("activity", "amount", "sum", horizon="2h", maturity="1h")
    spine = [{"id": 1, "event_timestamp": at(hour)} for hour in (0, 1, 2, 3, 4)]
    frame = paid.get_training_set(["activity:count_2h"], spine, label=label)

    train, test = frame.split_by_time(at(4))
    with pytest.warns(UserWarning, match=r"the labels of 2 of 4 training rows look into the test"):
        careless, _ = frame.split_by_time(at(4), gap="0s")

    assert train.to_arrow()["event_timestamp"].to_pylist() == [at(0)]
    assert test.to_arrow()["event_timestamp"].to_pylist() == [at(4)]
    assert len(careless) == 4


def test_rows_whose_horizon_is_not_over_can_be_told_from_those_without_a_label(paid):
    label = Label("activity", "amount", "max", horizon="2h", immature="flag")

    rows = training(paid, label, 0.5, 5, 11)

    assert [(row["label"], row["label_mature"]) for row in rows] == [
        (1.0, True), (None, True), (None, False),
    ]  # fmt: skip


def test_a_label_may_be_a_percentile(paid):
    label = Label("activity", "amount", "p50", horizon="3h", maturity="4h")

    assert [row["label"] for row in training(paid, label, 0)] == [2.0]


def test_an_empty_label_of_another_type_is_refused(paid):
    with pytest.raises(RequestError, match=r"empty is 'none'"):
        training(paid, Label("activity", "amount", "sum", horizon="2h", empty="none"), 0)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("summ", r"unknown function 'summ'\. Did you mean 'sum'"),
        ("avg", r"unknown function 'avg'\. Did you mean 'mean'"),
        ("p101", r"'p101': .* p0 to p100"),
    ],
)
def test_a_function_that_is_none_is_answered_with_the_nearest(paid, function, message):
    with pytest.raises(RequestError, match=message):
        training(paid, Label("activity", "amount", function, horizon="2h"), 0)


def test_a_label_named_like_a_feature_is_told_to_take_another_name(paid):
    label = Label("activity", "amount", "sum", horizon="2h", name="count_2h")

    with pytest.raises(SpineError) as error:
        training(paid, label, 0)

    assert error.value.call == label.call
    assert error.value.found == "the answer has a feature 'count_2h'"
    assert error.value.fix == "Give the Label another name=."


def test_the_keys_of_a_label_may_come_from_other_columns(paid):
    spine = [{"id": 7, "payer": 1, "event_timestamp": at(0)}]
    label = Label("activity", "amount", "sum", horizon="2h", join_keys={"id": "payer"})

    frame = paid.get_training_set(["activity:count_2h"], spine, label=label)

    assert frame.to_arrow()["label"].to_pylist() == [1.0]


@pytest.mark.parametrize(
    ("join_keys", "error", "message"),
    [
        (
            {"id": "payr"},
            SpineError,
            r"Label.*no column 'payr', the join key .* 'payer'.*join_",
        ),
        ({"idd": "payer"}, RequestError, r"join_keys: view 'activity' has no join key 'idd'"),
    ],
)
def test_a_key_that_a_label_lacks_is_told_at_its_line(paid, join_keys, error, message):
    spine = [{"id": 7, "payer": 1, "event_timestamp": at(0)}]
    label = Label("activity", "amount", "sum", horizon="2h", join_keys=join_keys)

    with pytest.raises(error, match=message) as told:
        paid.get_training_set(["activity:count_2h"], spine, label=label)
    assert told.value.call == label.call
