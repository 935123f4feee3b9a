"""Rows are split by time with a gap, or by entity with no entity in both parts; time grids."""

import warnings
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featurestore.client.frame.frame import FeatureFrame
from featurestore.client.frame.splits import LabelTiming
from featurestore.client.spines.grid import time_grid
from featurestore.errors import RequestError, SpineError
from featurestore.store.columns import UTC_MICROS
from featurestore.times import MICROS

ENTITIES = st.lists(st.tuples(st.integers(0, 9) | st.none(), st.sampled_from("ab")), max_size=40)


def frame(entities: list[tuple[int | None, str]]) -> FeatureFrame:
    columns = {
        "id": pa.array([e[0] for e in entities], pa.int64()),
        "kind": [e[1] for e in entities],
    }
    return FeatureFrame(pa.table(columns | {"row": list(range(len(entities)))}), ())


def sides(part: FeatureFrame) -> set[tuple[object, ...]]:
    table = part.to_arrow()
    return set(zip(table["id"].to_pylist(), table["kind"].to_pylist(), strict=True))


@given(ENTITIES, st.floats(0.01, 0.99), st.integers(0, 3))
def test_no_entity_is_in_both_parts_and_no_row_is_lost(entities, share, seed):
    train, test = frame(entities).split_by_entity(["id", "kind"], test=share, seed=seed)

    assert not sides(train) & sides(test)
    rows = train.to_arrow()["row"].to_pylist() + test.to_arrow()["row"].to_pylist()
    assert sorted(rows) == list(range(len(entities)))


@given(ENTITIES, ENTITIES)
def test_an_entity_stays_in_its_part_when_rows_are_added(entities, more):
    before = frame(entities).split_by_entity(["id", "kind"])
    after = frame(entities + more).split_by_entity(["id", "kind"])

    assert sides(before[0]) <= sides(after[0])
    assert sides(before[1]) <= sides(after[1])


def test_the_share_is_close_to_its_argument_and_another_seed_selects_others():
    many = FeatureFrame(pa.table({"id": list(range(10_000))}), ())

    first = many.split_by_entity("id", test=0.3)[1]
    other = many.split_by_entity("id", test=0.3, seed=1)[1]

    assert 2_800 < len(first) < 3_200
    assert first.to_arrow() != other.to_arrow()


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
def test_rows_with_any_type_of_text_are_split_and_keep_their_types(kind):
    # Delta tables and Polars return string views.
    columns = {"id": pa.array(["a", "b", "a"], kind), "at": [at_day(day) for day in (1, 2, 3)]}
    rows = FeatureFrame(pa.table(columns), (), timestamp_field="at")

    train, test = rows.split_by_time("2026-01-02", gap="0s")
    one, other = rows.split_by_entity("id", test=0.5)

    assert (train.to_arrow(), test.to_arrow()) == (rows.table.slice(0, 1), rows.table.slice(1))
    assert len(one) + len(other) == 3
    assert one.to_arrow().schema == rows.table.schema


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.list_(pa.string_view()), ["a", None]),
        (pa.list_(pa.null()), [None, None]),
        (pa.large_list(pa.binary_view()), [b"a"]),
        (pa.map_(pa.string_view(), pa.int64()), [("a", 1)]),
        (pa.struct([pa.field("word", pa.string_view(), nullable=False)]), {"word": "a"}),
    ],
)
def test_rows_with_text_inside_other_types_are_split(kind, value):
    rows = pa.table({"at": [at_day(1), at_day(2)], "deep": pa.array([value, value], kind)})

    train, _ = FeatureFrame(rows, (), timestamp_field="at").split_by_time("2026-01-02")

    assert train.to_arrow() == rows.slice(0, 1)


def test_a_grid_keeps_the_type_of_text_keys():
    keys = pa.table({"id": pa.array(["a"], pa.string_view())})

    grid = time_grid(keys, start="2026-01-01", end="2026-01-02", every="12h")

    assert grid["id"].type == pa.string_view()
    assert grid["id"].to_pylist() == ["a", "a"]


def at_day(day: int) -> datetime:
    return datetime(2026, 1, day, tzinfo=UTC)


@given(
    st.lists(st.integers(-20, 20), max_size=20),
    st.integers(1, 9),
    st.integers(0, 9),
)
def test_by_default_all_labels_of_training_rows_are_mature_before_the_test_part(
    days, horizon, maturity
):
    train, test = with_label_timing(days, horizon, maturity).split_by_time(MIDNIGHT)

    waited = timedelta(days=horizon + maturity)
    assert all(at + waited < MIDNIGHT for at in moments(train))
    assert len(train) == sum(day + horizon + maturity < 0 for day in days)
    assert len(test) == sum(day >= 0 for day in days)


@given(st.lists(st.integers(-20, 20), max_size=20), st.integers(1, 9), st.integers(0, 9))
def test_a_gap_shorter_than_the_horizon_warns_and_counts_the_labels(days, horizon, gap):
    looking = sum(day < -gap and day + horizon >= 0 for day in days)
    trained = sum(day < -gap for day in days)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        train, _ = with_label_timing(days, horizon, 0).split_by_time(MIDNIGHT, gap=f"{gap}d")

    assert len(train) == trained
    assert len(caught) == bool(looking)
    for each in caught:
        assert f"{looking} of {trained} training rows" in str(each.message)
        assert each.filename == __file__


def test_the_warning_names_the_horizon_and_the_gap_that_is_safe():
    frame = with_label_timing([-4, -3, -2], horizon=3, maturity=30)

    with pytest.warns(UserWarning, match=r"\b3d\b.*\b2d\b.*gap=.*\b33d\b"):
        frame.split_by_time("1970-01-01", gap="2d")


def test_labels_that_are_columns_of_the_spine_have_no_gap_by_default():
    rows = replace(with_label_timing([-2, -1, 0], 1, 0), label_timing=None)

    assert [len(part) for part in rows.split_by_time("1970-01-01")] == [2, 1]


MIDNIGHT = datetime(1970, 1, 1, tzinfo=UTC)


def with_label_timing(days: list[int], horizon: int, maturity: int) -> FeatureFrame:
    times = pa.array([MIDNIGHT + timedelta(days=day) for day in days], UTC_MICROS)
    timing = LabelTiming(horizon * MICROS["d"], maturity * MICROS["d"])
    return FeatureFrame(pa.table({"event_timestamp": times}), (), label_timing=timing)


def moments(part: FeatureFrame) -> list[datetime]:
    return part.to_arrow()["event_timestamp"].to_pylist()


def test_a_wrong_column_or_share_is_an_error():
    with pytest.raises(RequestError) as column:
        frame([]).split_by_entity("idd")
    with pytest.raises(RequestError) as share:
        frame([]).split_by_entity("id", test=1.0)

    assert "'idd'" in column.value.found
    assert "'id'" in column.value.fix
    assert "1.0" in share.value.found
    assert "test=" in share.value.fix


def test_a_split_by_time_needs_times_with_a_zone():
    rows = FeatureFrame(pa.table({"at": [1, 2]}), (), timestamp_field="at")

    with pytest.raises(RequestError) as error:
        rows.split_by_time("2026-01-01")

    assert "'at'" in error.value.found
    assert "int64" in error.value.found


def test_a_grid_has_every_key_at_every_moment_before_its_end():
    keys = [{"id": 2, "kind": "a"}, {"id": 1, "kind": "b"}]

    grid = time_grid(keys, start="2026-01-01", end="2026-01-02T00:00:01Z", every="12h")

    assert grid["id"].to_pylist() == [2, 2, 2, 1, 1, 1]
    assert grid["event_timestamp"].to_pylist()[:3] == [
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, 12, tzinfo=UTC),
        datetime(2026, 1, 2, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"every": "0d"}, "step is 0"),
        ({"end": "2026-01-01"}, "2026-01-01 00:00:00+00:00"),
        ({"timestamp_field": "id"}, "'id'"),
        ({"every": "1s", "end": "2200-01-01"}, "5,490,892,800 moments"),
    ],
)
def test_a_wrong_grid_is_an_error(change, problem):
    arguments = {"start": "2026-01-01", "end": "2026-02-01", "every": "1d"} | change

    with pytest.raises(SpineError) as error:
        time_grid([{"id": 1}], **arguments)

    assert repr(arguments["every"]) in error.value.call
    assert problem in error.value.found


@pytest.mark.parametrize(
    ("ask", "call", "argument"),
    [
        (lambda: with_label_timing([1], 1, 0).split_by_time("2026-10-10 12:00"), "split_by_time",
         "moment is '2026-10-10 12:00'"),
        (lambda: with_label_timing([1], 1, 0).split_by_time("2026-10-10", gap="7 days"),
         "split_by_time", "gap is '7 days'"),
        (lambda: time_grid([{"id": 1}], start="2026-01-01", end="2026-01-02", every="day"),
         "time_grid", "every is 'day'"),
        (lambda: time_grid([{"id": 1}], start="2026-01-01T05", end="2026-01-02", every="1d"),
         "time_grid", "start is '2026-01-01T05'"),
        (lambda: time_grid([{"id": 1}], start="2026-01-01", end="soon", every="1d"),
         "time_grid", "end is 'soon'"),
    ],
)  # fmt: skip
def test_a_wrong_time_is_named_with_its_call_and_argument(ask, call, argument):
    with pytest.raises(RequestError) as caught:
        ask()

    assert caught.value.call.startswith(call)
    assert argument in caught.value.found


TEXTS = ["2026-01-01T23:30:00Z", "2026-01-02T00:30:00+01:00", "2026-01-02T00:00:00Z", None]
LOCAL = [datetime(2026, 1, 2), datetime(2026, 1, 2, 1), None]  # noqa: DTZ001 - times without a zone


@pytest.mark.parametrize(
    ("times", "zone", "rows"),
    [
        (pa.array(TEXTS), None, ([0, 1], [2])),
        (pa.array(TEXTS).dictionary_encode(), None, ([0, 1], [2])),
        (pa.array(TEXTS, pa.string_view()), None, ([0, 1], [2])),
        (pa.array(LOCAL), "Europe/Paris", ([0], [1])),
        (pa.array(LOCAL), ZoneInfo("Europe/Paris"), ([0], [1])),
        (pa.array(LOCAL), "UTC", ([], [0, 1])),
        (pa.array(LOCAL, pa.timestamp("ns")), "Europe/Paris", ([0], [1])),
        (pa.array(["2026-01-02 00:00:00", "2026-01-02 01:00:00"]), "Europe/Paris", ([0], [1])),
    ],
)
def test_times_are_read_for_a_split_as_for_the_features(times, zone, rows):
    table = pa.table({"event_timestamp": times, "row": range(len(times))})

    parts = FeatureFrame(table, (), timezone=zone).split_by_time("2026-01-02")

    assert tuple(part.to_arrow()["row"].to_pylist() for part in parts) == rows
    assert [part.to_arrow().schema for part in parts] == [table.schema, table.schema]


def test_a_split_by_a_time_column_that_is_missing_is_an_error():
    with pytest.raises(RequestError) as error:
        FeatureFrame(pa.table({"at": [at_day(1)]}), ()).split_by_time("2026-01-02")

    assert "'event_timestamp'" in error.value.found
    assert "timestamp_field=" in error.value.fix


def test_a_split_by_no_keys_is_an_error():
    with pytest.raises(RequestError) as error:
        frame([]).split_by_entity([])

    assert error.value.call.startswith("split_by_entity([]")
    assert "id, kind, row" in error.value.fix


@pytest.mark.parametrize(
    "keys", [pa.array([[1], [2], [1]]), pa.array([{"a": 1}, {"a": None}, {"a": 1}])]
)
def test_an_entity_may_be_a_list_or_a_struct(keys):
    parts = FeatureFrame(pa.table({"key": keys}), ()).split_by_entity("key", test=0.5)

    assert sorted(len(part) for part in parts) in ([0, 3], [1, 2])


def test_an_entity_is_in_the_same_part_whatever_the_encoding_of_its_key():
    words = pa.array([f"card {number}" for number in range(200)])
    kinds = (words, words.dictionary_encode(), words.cast(pa.string_view()))

    tests = [FeatureFrame(pa.table({"id": kind}), ()).split_by_entity("id")[1] for kind in kinds]

    assert len({tuple(test.to_arrow()["id"].to_pylist()) for test in tests}) == 1


def test_runs_of_equal_values_are_split():
    runs = pa.RunEndEncodedArray.from_arrays([2, 3], ["a", None])
    table = pa.table({"at": [at_day(1), at_day(3), at_day(2)], "word": runs})

    train, test = FeatureFrame(table, (), timestamp_field="at").split_by_time("2026-01-03")

    assert train.to_arrow()["word"].to_pylist() == ["a", None]
    assert test.to_arrow()["word"].to_pylist() == ["a"]
    assert train.to_arrow().schema == table.schema


def test_a_key_that_python_cannot_hold_is_an_error():
    frame = FeatureFrame(pa.table({"at": pa.array([300_000_000_000], pa.timestamp("s"))}), ())

    with pytest.raises(RequestError) as error:
        frame.split_by_entity("at")

    assert "'at'" in error.value.call
