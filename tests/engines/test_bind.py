"""Keys and times of a spine are bound exactly, or refused with a fix."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

import featurestore as fs
from featurestore.engines.bind import bind
from featurestore.errors import RequestError, SpineError
from featurestore.query.nodes import Column, KeyBinding, Query, ViewQuery

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
TIMES = pa.array([NOON], pa.timestamp("us", tz="UTC"))


def refusal_of(spine: pa.Table, other: Query | None = None, **options: Any) -> SpineError:
    """Return the error that binding a spine raises."""
    with pytest.raises(SpineError) as refused:
        bind(other or query(), spine, **options)
    return refused.value


def query(dtype=fs.Int64) -> Query:
    key = KeyBinding("id", "id", dtype)
    view = ViewQuery(
        "v", keys=(key,), timestamp_field="at", columns=(Column("x", "x", fs.Float64),)
    )
    return Query("call()", (view,), "at")


@pytest.mark.parametrize("kind", ["int8", "uint16", "int32", "int64", "uint64"])
def test_integers_of_any_width_are_keys_by_value(kind) -> None:
    spine = pa.table({"id": pa.array([7, None], kind), "at": pa.concat_arrays([TIMES, TIMES])})

    assert bind(query(fs.Int32), spine)["id"].to_pylist() == [7, None]


def test_an_unsigned_value_that_no_key_can_have_is_refused() -> None:
    spine = pa.table({"id": pa.array([2**63], pa.uint64()), "at": TIMES})

    refusal = refusal_of(spine)

    assert "'id'" in refusal.found
    assert str(2**63) in refusal.found


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
    wide = pa.table({"id": pa.array([date(2026, 3, 1)], pa.date64()), "at": TIMES})
    flag = pa.table({"id": pa.array([True]), "at": TIMES})

    assert bind(query(fs.Date), day)["id"].to_pylist() == [date(2026, 3, 1)]
    assert bind(query(fs.Date), wide)["id"].to_pylist() == [date(2026, 3, 1)]
    assert bind(query(fs.Boolean), flag)["id"].to_pylist() == [True]


@pytest.mark.parametrize(
    ("keys", "dtype", "cast"),
    [
        (pa.array([1.0]), "double", "spine['id'].astype('Int64')"),
        (pa.array(["1"]), "string", "int64"),
        (pa.array([True]), "bool", "int64"),
    ],
)
def test_a_key_of_another_type_is_refused_with_the_cast(keys, dtype, cast) -> None:
    refusal = refusal_of(pa.table({"id": keys, "at": TIMES}))

    assert [fact for fact in ("'id'", dtype, "Int64") if fact not in refusal.found] == []
    assert cast in refusal.fix


def test_missing_columns_are_named_with_the_nearest() -> None:
    no_key = refusal_of(pa.table({"idd": [1], "at": TIMES}))
    no_time = refusal_of(pa.table({"id": [1]}))

    assert (no_key.call, no_time.call) == ("call()", "call()")
    assert [fact for fact in ("'id'", "'v'") if fact not in no_key.found] == []
    assert "'idd'" in no_key.fix
    assert "'at'" in no_time.found
    assert "timestamp_field=" in no_time.fix


def test_a_view_with_another_time_column_is_named_if_that_column_is_missing() -> None:
    seen = replace(query().views[0], view="seen", timestamp_field="seen_at")
    both = Query("call()", (*query().views, seen), "at")

    refusal = refusal_of(pa.table({"id": [1], "at": TIMES}), both)

    assert [fact for fact in ("'seen_at'", "'seen'") if fact not in refusal.found] == []
    assert ".at('seen_at')" in refusal.fix
    assert "timestamp_field=" not in str(refusal)


@pytest.mark.parametrize(
    ("times", "dtype", "fix"),
    [
        ([1_772_366_400], "int64", "pd.to_datetime(spine['at'], unit='s', utc=True)"),
        ([1.5], "double", "pd.to_datetime(spine['at'], unit='s', utc=True)"),
        ([date(2026, 3, 1)], "date32", "date"),
        ([True], "bool", "time zone"),
    ],
)
def test_a_time_column_of_another_type_is_refused_with_that_type_and_a_fix(
    times: list, dtype: str, fix: str
) -> None:
    refusal = refusal_of(pa.table({"id": [1], "at": times}))

    assert [fact for fact in ("'at'", dtype) if fact not in refusal.found] == []
    assert fix in refusal.fix


def test_an_unknown_time_zone_is_refused_with_the_nearest_ones() -> None:
    naive = pa.table({"id": [1], "at": pa.array(["2026-07-01 14:00"]).cast(pa.timestamp("us"))})

    with pytest.raises(RequestError) as error:
        bind(query(), naive, timezone="Mars")

    assert error.value.call == "call()"
    assert "'Mars'" in error.value.found
    assert "'Europe/Paris'" in error.value.fix


def test_a_feature_named_like_a_spine_column_is_refused() -> None:
    refusal = refusal_of(pa.table({"id": [1], "at": TIMES, "x": [1]}))

    assert [fact for fact in ("'x'", "'v'") if fact not in refusal.found] == []
    assert "view.with_prefix(" in refusal.fix


def test_naive_times_are_refused_unless_the_call_names_their_zone() -> None:
    naive = pa.table({"id": [1], "at": pa.array(["2026-07-01 14:00"]).cast(pa.timestamp("us"))})

    refusal = refusal_of(naive)
    bound = bind(query(), naive, timezone="Europe/Paris")

    assert "'at'" in refusal.found
    assert "timezone=" in refusal.fix
    assert bound["at"].to_pylist() == [datetime(2026, 7, 1, 12, tzinfo=UTC)]


def test_naive_times_in_a_clock_change_are_refused() -> None:
    twice = pa.table({"id": [1], "at": pa.array(["2026-10-25 02:30"]).cast(pa.timestamp("us"))})

    refusal = refusal_of(twice, timezone="Europe/Paris")

    assert [fact for fact in ("'at'", "'Europe/Paris'") if fact not in refusal.found] == []
    assert "UTC" in refusal.fix


def test_nanoseconds_are_accepted_if_they_are_whole_microseconds() -> None:
    nanos = 1_772_366_400_000_000_000
    kind = pa.timestamp("ns", tz="Asia/Tokyo")
    whole = pa.table({"id": [1], "at": pa.array([nanos], kind)})
    finer = pa.table({"id": [1], "at": pa.array([nanos + 1], kind)})

    refusal = refusal_of(finer)

    assert bind(query(), whole)["at"].cast(pa.int64()).to_pylist() == [nanos // 1000]
    assert [fact for fact in ("1 of ", "'at'", "microsecond") if fact not in refusal.found] == []
    assert "spine['at'].dt.floor('us')" in refusal.fix


def test_times_before_1970_keep_their_microseconds() -> None:
    spine = pa.table({"id": [1], "at": pa.array([-1_500_001_000], pa.timestamp("ns", tz="UTC"))})

    assert bind(query(), spine)["at"].cast(pa.int64()).to_pylist() == [-1_500_001]


def test_text_times_need_an_offset_in_each_value_or_a_zone() -> None:
    offset = pa.table({"id": [1], "at": ["2026-03-01T13:00:00+01:00"]})
    without = pa.table({"id": [1], "at": ["2026-03-01T13:00:00"]})

    refusal = refusal_of(without)
    zoned = bind(query(), without, timezone="Europe/Paris")

    assert bind(query(), offset)["at"].to_pylist() == [NOON]
    assert [fact for fact in ("'at'", "2026-03-01T13:00:00") if fact not in refusal.found] == []
    assert "timezone=" in refusal.fix
    assert zoned["at"].to_pylist() == [NOON]


def test_null_times_are_refused_and_counted_or_kept() -> None:
    spine = pa.table({"id": [1, 2], "at": pa.array([NOON, None], pa.timestamp("us", tz="UTC"))})

    refusal = refusal_of(spine)

    assert [fact for fact in ("1 of 2 rows", "'at'") if fact not in refusal.found] == []
    assert "null_times='keep'" in refusal.fix
    assert bind(query(), spine, null_times="keep")["at"].to_pylist() == [NOON, None]


def test_two_spine_columns_of_one_name_are_refused() -> None:
    spine = pa.Table.from_arrays([pa.array([1]), pa.array([2]), TIMES], names=["id", "id", "at"])

    assert "'id'" in refusal_of(spine).found


def test_a_key_column_of_another_name_is_answered_with_its_new_name() -> None:
    taxi = replace(query().views[0], keys=(KeyBinding("taxi_id", "taxi_id", fs.Int64),))
    spine = pa.table({"taxi": [7], "at": TIMES})

    refusal = refusal_of(spine, Query("call()", (taxi,), "at"))
    renamed = spine.rename_columns(["taxi_id", "at"])

    assert "'taxi_id'" in refusal.found
    advice, _, other = refusal.fix.partition("with_join_keys")
    assert ("'taxi'" in advice, "rename it to 'taxi_id'" in advice) == (True, True)
    assert "'taxi_id'" in other
    assert bind(Query("call()", (taxi,), "at"), renamed)["taxi_id"].to_pylist() == [7]


@pytest.mark.parametrize(
    "encode",
    [
        pa.Array.dictionary_encode,
        pc.run_end_encode,
        lambda texts: pa.DictionaryArray.from_arrays([0, 1], texts.cast(pa.string_view())),
        lambda texts: pa.DictionaryArray.from_arrays([0, 1], texts.cast(pa.large_string())),
    ],
    ids=["dictionary", "run ends", "dictionary of views", "dictionary of large strings"],
)
def test_encodings_of_text_keys_are_texts(encode: Any) -> None:
    spine = pa.table({"id": encode(pa.array(["a", None])), "at": pa.concat_arrays([TIMES] * 2)})

    bound = bind(query(fs.String), spine)

    assert bound["id"].to_pylist() == ["a", None]
    assert bound["id"].type == pa.string()


@pytest.mark.parametrize(
    "keys",
    [
        pa.array([Decimal(7)], pa.decimal128(38, 0)),
        pa.array([7]).dictionary_encode(),
        pc.run_end_encode(pa.array([7])),
    ],
    ids=["decimal", "dictionary", "run ends"],
)
def test_other_encodings_of_integers_are_keys_by_value(keys: pa.Array) -> None:
    assert bind(query(), pa.table({"id": keys, "at": TIMES}))["id"].to_pylist() == [7]


def test_a_decimal_that_no_integer_key_can_have_is_refused_with_its_row() -> None:
    keys = pa.array([Decimal(1), Decimal(2**64)], pa.decimal128(38, 0))

    refusal = refusal_of(pa.table({"id": keys, "at": pa.concat_arrays([TIMES] * 2)}))

    assert [fact for fact in ("'id'", "row 1", "Int64") if fact not in refusal.found] == []


@pytest.mark.parametrize("dtype", [pa.decimal128(5, 1), pa.uuid(), pa.binary()])
def test_a_key_column_of_a_type_without_keys_is_refused(dtype: pa.DataType) -> None:
    refusal = refusal_of(pa.table({"id": pa.nulls(1, dtype), "at": TIMES}))

    assert str(dtype) in refusal.found


def test_bytes_that_are_no_text_are_refused_as_a_text_key() -> None:
    data = pa.py_buffer(b"a\xff")
    offsets = pa.py_buffer(np.array([0, 1, 2], "int32"))
    keys = pa.Array.from_buffers(pa.string(), 2, [None, offsets, data])

    refusal = refusal_of(
        pa.table({"id": keys, "at": pa.concat_arrays([TIMES] * 2)}), query(fs.String)
    )

    assert [fact for fact in ("'id'", "row 1") if fact not in refusal.found] == []


def test_bytes_that_are_no_text_are_refused_as_a_time() -> None:
    times = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff"]).buffers())

    with pytest.raises(SpineError) as refused:
        bind(query(fs.Int64), pa.table({"id": [1], "at": times}))

    assert "'at'" in refused.value.found
