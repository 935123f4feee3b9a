"""Keys and times of a spine are bound exactly, or refused with what to do."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

import featurestore as fs
from featurestore.engines.bind import bind
from featurestore.errors import RequestError, SpineError
from featurestore.query.nodes import Column, KeyBinding, Query, ViewQuery

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIMES = pa.array([NOON], pa.timestamp("us", tz="UTC"))


def query(dtype=fs.Int64) -> Query:
    key = KeyBinding("id", "id", dtype)
    view = ViewQuery(
        "v", keys=(key,), timestamp_field="at", columns=(Column("x", "x", fs.Float64),)
    )
    return Query("ask", (view,), "at")


@pytest.mark.parametrize("kind", ["int8", "uint16", "int32", "int64", "uint64"])
def test_integers_of_any_width_are_keys_by_value(kind) -> None:
    spine = pa.table({"id": pa.array([7, None], kind), "at": pa.concat_arrays([TIMES, TIMES])})

    assert bind(query(fs.Int32), spine)["id"].to_pylist() == [7, None]


def test_an_unsigned_value_that_no_key_can_have_is_refused() -> None:
    spine = pa.table({"id": pa.array([2**63], pa.uint64()), "at": TIMES})

    with pytest.raises(SpineError, match=r"a value that no join key can have"):
        bind(query(), spine)


@pytest.mark.parametrize(
    "kind", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())]
)
def test_large_view_and_dictionary_strings_are_strings(kind) -> None:
    spine = pa.table({"id": pa.array(["a"]).cast(kind), "at": TIMES})

    bound = bind(query(fs.String), spine)

    assert bound["id"].type == pa.string()
    assert bound["id"].to_pylist() == ["a"]


def test_boolean_and_date_keys_are_taken_as_they_are() -> None:
    day = pa.table({"id": pa.array([date(2026, 3, 1)]), "at": TIMES})
    flag = pa.table({"id": pa.array([True]), "at": TIMES})

    assert bind(query(fs.Date), day)["id"].to_pylist() == [date(2026, 3, 1)]
    assert bind(query(fs.Boolean), flag)["id"].to_pylist() == [True]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (pa.array([1.0]), r"holds double, the join key 'id' is Int64\. Float keys.*astype"),
        (pa.array(["1"]), r"holds string, the join key 'id' is Int64\. Cast .* to int64"),
        (pa.array([True]), r"holds bool"),
    ],
)
def test_a_key_of_another_type_is_refused_with_the_cast(keys, message) -> None:
    with pytest.raises(SpineError, match=message):
        bind(query(), pa.table({"id": keys, "at": TIMES}))


def test_missing_columns_are_named_with_the_nearest() -> None:
    with pytest.raises(SpineError, match=r"no column 'id'.*Did you mean 'idd'"):
        bind(query(), pa.table({"idd": [1], "at": TIMES}))
    with pytest.raises(SpineError, match=r"no column 'at', the time column.*timestamp_field="):
        bind(query(), pa.table({"id": [1]}))


def test_a_view_that_is_asked_at_another_time_column_is_named_where_that_is_missing() -> None:
    seen = replace(query().views[0], view="seen", timestamp_field="seen_at")
    both = Query("ask", (*query().views, seen), "at")

    told = (
        r"no column 'seen_at', the time column that view 'seen' is asked at by \.at\('seen_at'\)"
    )
    with pytest.raises(SpineError, match=told) as error:
        bind(both, pa.table({"id": [1], "at": TIMES}))
    assert "timestamp_field=" not in str(error.value)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([1_772_366_400], r"holds int64\. Say what they count.*pd\.to_datetime.*unit='s'"),
        ([1.5], r"holds double\. Say what they count"),
        ([date(2026, 3, 1)], r"holds date32.*a date is no moment"),
        ([True], r"holds bool\. Give timestamps with a time zone\.$"),
    ],
)
def test_times_that_are_none_are_answered_by_what_they_are(times: list, message: str) -> None:
    with pytest.raises(SpineError, match=message):
        bind(query(), pa.table({"id": [1], "at": times}))


def test_an_unknown_time_zone_is_answered_with_the_nearest() -> None:
    naive = pa.table({"id": [1], "at": pa.array(["2026-07-01 14:00"]).cast(pa.timestamp("us"))})

    with pytest.raises(RequestError) as error:
        bind(query(), naive, timezone="Mars")

    assert str(error.value) == (
        "ask: unknown timezone 'Mars'. "
        "Did you mean 'Europe/Paris' or 'Indian/Mauritius' or 'America/Matamoros'?"
    )


def test_a_feature_named_like_a_spine_column_is_refused() -> None:
    with pytest.raises(
        SpineError, match=r"feature 'x' of view 'v' has the name of a spine column"
    ):
        bind(query(), pa.table({"id": [1], "at": TIMES, "x": [1]}))


def test_naive_times_are_refused_unless_their_zone_is_given() -> None:
    naive = pa.table({"id": [1], "at": pa.array(["2026-07-01 14:00"]).cast(pa.timestamp("us"))})

    with pytest.raises(SpineError, match=r"naive.*timezone="):
        bind(query(), naive)
    bound = bind(query(), naive, timezone="Europe/Paris")

    assert bound["at"].to_pylist() == [datetime(2026, 7, 1, 12, tzinfo=UTC)]


def test_naive_times_in_a_clock_change_are_refused() -> None:
    twice = pa.table({"id": [1], "at": pa.array(["2026-10-25 02:30"]).cast(pa.timestamp("us"))})

    with pytest.raises(SpineError, match=r"clock change"):
        bind(query(), twice, timezone="Europe/Paris")


def test_nanoseconds_are_taken_where_they_are_whole_microseconds() -> None:
    nanos = 1_772_366_400_000_000_000
    kind = pa.timestamp("ns", tz="Asia/Tokyo")
    whole = pa.table({"id": [1], "at": pa.array([nanos], kind)})
    finer = pa.table({"id": [1], "at": pa.array([nanos + 1], kind)})

    assert bind(query(), whole)["at"].cast(pa.int64()).to_pylist() == [nanos // 1000]
    with pytest.raises(SpineError, match=r"1 values .* finer than a microsecond.*floor\('us'\)"):
        bind(query(), finer)


def test_times_before_1970_keep_their_microseconds() -> None:
    spine = pa.table({"id": [1], "at": pa.array([-1_500_001_000], pa.timestamp("ns", tz="UTC"))})

    assert bind(query(), spine)["at"].cast(pa.int64()).to_pylist() == [-1_500_001]


def test_text_times_carry_an_offset_in_each_value() -> None:
    offset = pa.table({"id": [1], "at": ["2026-03-01T13:00:00+01:00"]})
    without = pa.table({"id": [1], "at": ["2026-03-01T13:00:00"]})

    assert bind(query(), offset)["at"].to_pylist() == [NOON]
    with pytest.raises(SpineError, match=r"text that is no exact time"):
        bind(query(), without)
    zoned = bind(query(), without, timezone="Europe/Paris")
    assert zoned["at"].to_pylist() == [NOON]


def test_null_times_are_refused_and_counted_or_kept() -> None:
    spine = pa.table({"id": [1, 2], "at": pa.array([NOON, None], pa.timestamp("us", tz="UTC"))})

    with pytest.raises(SpineError, match=r"1 of 2 rows have no time in 'at'.*null_times='keep'"):
        bind(query(), spine)
    assert bind(query(), spine, null_times="keep")["at"].to_pylist() == [NOON, None]


def test_two_spine_columns_of_one_name_are_refused() -> None:
    spine = pa.Table.from_arrays([pa.array([1]), pa.array([2]), TIMES], names=["id", "id", "at"])

    with pytest.raises(SpineError, match=r"two columns 'id'"):
        bind(query(), spine)
