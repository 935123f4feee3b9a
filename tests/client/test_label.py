"""A label is computed when its horizon and maturity are over, and never changes after that."""

import sys
from dataclasses import replace
from datetime import timedelta

import pandas as pd
import pyarrow as pa
import pytest

import featurestore as fs
from featurestore.client.label import Label
from featurestore.errors import NotFoundError, RequestError, SpineError
from featurestore.store.columns import UTC_MICROS
from tests.client.shop import HOUR, NOW, at, in_process, write_view
from tests.tables import feature_table


@pytest.fixture
def paid(store: fs.FeatureStore) -> fs.FeatureStore:
    """Card 1 pays at 1, 2 and 3 o'clock. The payment of 2 o'clock is visible from 5 on."""
    events = [1 * HOUR, 2 * HOUR, 3 * HOUR]
    table = feature_table(
        {"id": [1, 1, 1]}, events, {"amount": [1.0, 2.0, 4.0]}, [HOUR, 5 * HOUR, 3 * HOUR]
    )
    write_view(store, "activity", table)
    return store


def training(
    store: fs.FeatureStore, label: Label, *hours: float, card: int = 1, engine: str = "local"
) -> list[dict]:
    spine = [{"id": card, "event_timestamp": at(hour)} for hour in hours]
    frame = store.get_training_set(["activity:count_2h"], spine, label=label, engine=engine)
    assert frame.label == label.name
    return frame.to_arrow().to_pylist()


def test_a_label_sums_the_events_after_the_moment_up_to_the_horizon(paid, engine):
    label = Label("activity", "amount", "sum", horizon="2h", maturity="4h", name="spent")

    rows = training(paid, label, 0, 1, 2.5, engine=engine)

    assert [row["spent"] for row in rows] == [3.0, 6.0, 4.0]
    assert [row["count_2h"] for row in rows] == [0, 0, 1]


def test_rows_visible_after_the_maturity_do_not_change_a_label(paid, engine):
    soon = Label("activity", "amount", "sum", horizon="2h")

    assert [row["label"] for row in training(paid, soon, 0, 1, engine=engine)] == [1.0, 4.0]


def test_immature_rows_are_dropped_or_kept_with_a_null_label(paid, engine):
    drop = Label("activity", "*", "count", horizon="2h", maturity="1h")
    keep = Label("activity", "*", "count", horizon="2h", maturity="1h", immature="keep")
    last = (NOW - timedelta(hours=3) - at(0)).total_seconds() / 3600

    hours = (0.5, last, last + 0.001)

    dropped, kept = (training(paid, each, *hours, engine=engine) for each in (drop, keep))

    assert [row["label"] for row in dropped] == [1, 0]
    assert [row["label"] for row in kept] == [1, 0, None]


@pytest.mark.every_engine
def test_the_rows_that_are_left_keep_their_index_of_pandas(paid, engine):
    last = (NOW - timedelta(hours=3) - at(0)).total_seconds() / 3600
    moments = pd.to_datetime([at(0.5), at(last + 0.001), at(last)], utc=True)
    spine = pd.DataFrame({"id": [1, 1, 1], "event_timestamp": moments}, index=[7, 7, 3])
    labels = [
        Label("activity", "*", "count", horizon="2h", maturity="1h", immature=immature)
        for immature in ("drop", "keep", "flag")
    ]

    frames = [
        in_process(paid.get_training_set(["activity:count_2h"], spine, label=each, engine=engine))
        for each in labels
    ]

    dropped, kept, flagged = (frame.to_pandas() for frame in frames)
    assert (dropped.index.tolist(), dropped["label"].tolist()) == ([7, 3], [1, 0])
    assert (kept.index.tolist(), kept["label"].tolist()) == ([7, 7, 3], [1, pd.NA, 0])
    assert flagged["label_mature"].tolist() == [True, False, True]


def test_the_rows_that_are_left_are_explained_by_their_new_numbers(paid):
    label = Label("activity", "*", "count", horizon="2h", maturity="1h")
    rows = [{"id": 1, "event_timestamp": at(hour)} for hour in (11, 0.5, 2.5)]

    frame = paid.get_training_set(["activity:count_2h"], rows, label=label)

    assert frame.to_arrow()["count_2h"].to_pylist() == [0, 1]
    assert frame.explain(1, "count_2h").value == 1


def test_a_training_set_counts_the_immature_rows_that_it_leaves_out(paid, engine):
    label = Label("activity", "*", "count", horizon="2h")
    rows = [{"id": 1, "event_timestamp": at(hour)} for hour in (0.5, 11, 11.5)]

    frame, kept = (
        in_process(paid.get_training_set(["activity:count_2h"], rows, label=each, engine=engine))
        for each in (label, replace(label, immature="keep"))
    )

    assert (len(frame), frame.immature_rows, "2 immature rows" in repr(frame)) == (1, 2, True)
    assert (len(kept), kept.immature_rows, "immature" in repr(kept)) == (3, 0, False)
    assert [part.immature_rows for part in frame.split_by_time(at(1))] == [0, 0]


def test_a_horizon_that_is_a_timedelta_is_kept_as_its_text():
    written = Label("activity", "*", "count", horizon=timedelta(30), maturity=timedelta(hours=36))

    assert (written.horizon, written.maturity) == ("30d", "36h")


def test_a_horizon_that_is_no_duration_is_answered_with_one():
    with pytest.raises(RequestError) as caught:
        Label("activity", "*", "count", horizon=timedelta(microseconds=30))

    assert "Label(" in caught.value.call
    assert "horizon" in caught.value.found
    assert "horizon='30d'" in caught.value.fix


def test_immature_rows_are_dropped_from_a_spine_with_string_views(paid, engine):
    label = Label("activity", "*", "count", horizon="2h")
    spine = pa.table(
        {
            "id": [1, 1],
            "event_timestamp": pa.array([at(0.5), at(11)], UTC_MICROS),
            "note": pa.array(["a", "b"], pa.string_view()),
        }
    )

    frame = paid.get_training_set(["activity:count_2h"], spine, label=label, engine=engine)

    table = frame.to_arrow()
    assert table.select(spine.column_names) == spine.slice(0, 1)


def test_an_absent_key_has_an_empty_horizon(paid, engine):
    label = Label("activity", "amount", "sum", horizon="2h", empty=0.0)

    assert training(paid, label, 0, card=7, engine=engine)[0]["label"] == 0.0


@pytest.mark.parametrize(
    ("label", "error", "problem", "fix"),
    [
        (
            Label("activity_", "*", "count", horizon="1h"),
            NotFoundError,
            "'activity_'",
            "'activity'",
        ),
        (Label("activity", "amuont", "sum", horizon="1h"), NotFoundError, "'amuont'", "'amount'"),
        (Label("profile", "city", "sum", horizon="1h"), RequestError, "'sum'", "count, min"),
        (Label("activity", "*", "count", horizon="1h", name="id"), SpineError, "'id'", "name="),
    ],
)
def test_a_wrong_label_is_an_error_with_its_call_and_a_fix(paid, label, error, problem, fix):
    with pytest.raises(error) as raised:
        training(paid, label, 0)

    assert raised.value.call == label.call
    assert problem in raised.value.found
    assert fix in raised.value.fix


@pytest.mark.parametrize(
    ("wrong", "problem", "fix"),
    [
        ({"horizon": "0h"}, "horizon", "horizon="),
        ({"horizon": "-1h"}, "'-1h'", "horizon='30d'"),
        ({"horizon": "1h", "maturity": "soon"}, "maturity is 'soon'", "maturity='30d'"),
        ({"horizon": "1h", "immature": "fleg"}, "'fleg'", "'flag'"),
    ],
)
def test_a_wrong_argument_of_a_label_is_an_error_at_its_line(wrong, problem, fix):
    line = sys._getframe().f_lineno + 2
    with pytest.raises(RequestError) as raised:
        Label("activity", "*", "count", **wrong)

    assert f"{__file__}:{line}" in raised.value.call
    assert problem in raised.value.found
    assert fix in raised.value.fix


def test_a_split_excludes_rows_whose_labels_are_not_mature_when_the_test_part_begins(paid, engine):
    label = Label("activity", "amount", "sum", horizon="2h", maturity="1h")
    spine = [{"id": 1, "event_timestamp": at(hour)} for hour in (0, 1, 2, 3, 4)]
    frame = paid.get_training_set(["activity:count_2h"], spine, label=label, engine=engine)

    train, test = frame.split_by_time(at(4))
    # Spark's rows are not counted before they are computed.
    counted = "2 of 4 training rows" if engine == "local" else "training rows"
    with pytest.warns(UserWarning, match=counted):
        without_gap, _ = frame.split_by_time(at(4), gap="0s")

    assert train.to_arrow()["event_timestamp"].to_pylist() == [at(0)]
    assert test.to_arrow()["event_timestamp"].to_pylist() == [at(4)]
    assert len(in_process(without_gap)) == 4


def test_a_flag_marks_the_rows_with_mature_labels(paid, engine):
    label = Label("activity", "amount", "max", horizon="2h", immature="flag")

    rows = training(paid, label, 0.5, 5, 11, engine=engine)

    assert [(row["label"], row["label_mature"]) for row in rows] == [
        (1.0, True), (None, True), (None, False),
    ]  # fmt: skip


def test_a_label_may_be_a_percentile(paid, engine):
    label = Label("activity", "amount", "p50", horizon="3h", maturity="4h")

    assert [row["label"] for row in training(paid, label, 0, engine=engine)] == [2.0]


def test_an_empty_value_of_another_type_is_an_error(paid):
    with pytest.raises(RequestError, match=r"'none'.*Float64"):
        training(paid, Label("activity", "amount", "sum", horizon="2h", empty="none"), 0)


@pytest.mark.parametrize(
    ("function", "near"),
    [("summ", "Did you mean 'sum'"), ("avg", "Did you mean 'mean'"), ("p101", "p0 to p100")],
)
def test_an_unknown_function_is_an_error_with_near_names(paid, function, near):
    with pytest.raises(RequestError) as error:
        training(paid, Label("activity", "amount", function, horizon="2h"), 0)

    assert repr(function) in error.value.found
    assert near in str(error.value)


def test_a_label_with_the_name_of_a_feature_is_an_error(paid):
    label = Label("activity", "amount", "sum", horizon="2h", name="count_2h")

    with pytest.raises(SpineError) as error:
        training(paid, label, 0)

    assert error.value.call == label.call
    assert "feature" in error.value.found
    assert "'count_2h'" in error.value.found
    assert "name=" in error.value.fix


def test_the_keys_of_a_label_may_come_from_other_columns(paid, engine):
    spine = [{"id": 7, "payer": 1, "event_timestamp": at(0)}]
    label = Label("activity", "amount", "sum", horizon="2h", join_keys={"id": "payer"})

    frame = paid.get_training_set(["activity:count_2h"], spine, label=label, engine=engine)

    assert frame.to_arrow()["label"].to_pylist() == [1.0]


@pytest.mark.parametrize(
    ("join_keys", "error", "problem", "fix"),
    [
        ({"id": "payr"}, SpineError, "'payr'", "'payer'"),
        ({"idd": "payer"}, RequestError, "'idd'", "(id)"),
    ],
)
def test_a_wrong_join_key_of_a_label_is_an_error_at_its_line(paid, join_keys, error, problem, fix):
    spine = [{"id": 7, "payer": 1, "event_timestamp": at(0)}]
    label = Label("activity", "amount", "sum", horizon="2h", join_keys=join_keys)

    with pytest.raises(error) as raised:
        paid.get_training_set(["activity:count_2h"], spine, label=label)

    assert raised.value.call == label.call
    assert problem in raised.value.found
    assert fix in raised.value.fix
    assert "join_keys=" in raised.value.fix
