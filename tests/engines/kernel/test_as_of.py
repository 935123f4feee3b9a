"""As-of answers: one test for each rule of the semantics."""

import datetime as dt

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from featurestore.definitions.model.types import (
    Array,
    Boolean,
    Date,
    Float32,
    Int32,
    String,
)
from featurestore.engines.kernel import answer_view
from featurestore.errors import SpineError
from featurestore.query.nodes import KeyBinding, Rows
from tests.engines.kernel.tables import answers_at, as_of, events, stored


def test_an_event_at_exactly_t_is_included() -> None:
    rows = events((10, 1), (20, 2))

    assert answers_at(as_of(), rows, 9, 10, 19, 20, 99) == [None, 1, 1, 2, 2]


def test_strictly_before_excludes_an_event_at_exactly_t() -> None:
    rows = events((10, 1), (20, 2))

    assert answers_at(as_of(strict=True), rows, 10, 11, 20, 21) == [None, 1, 1, 2]


def test_a_row_as_old_as_the_ttl_answers_and_an_older_one_does_not() -> None:
    rows = events((10, 1))

    assert answers_at(as_of(ttl=5), rows, 15, 16) == [1, None]


def test_a_ttl_of_zero_answers_at_the_exact_moment_only() -> None:
    rows = events((10, 1))

    assert answers_at(as_of(ttl=0), rows, 10, 11) == [1, None]


def test_an_expired_tombstone_or_null_never_uncovers_an_older_row() -> None:
    rows = events((10, 1), (11, None))

    assert answers_at(as_of(ttl=5), rows, 12, 15) == [None, None]


def test_a_null_of_the_winner_is_the_answer() -> None:
    rows = events((10, 1), (20, None))

    assert answers_at(as_of(), rows, 15, 25) == [1, None]


def test_a_late_row_answers_from_its_available_time_on() -> None:
    rows = stored(
        [
            {"event_timestamp": 10, "available_timestamp": 10, "x": 1},
            {"event_timestamp": 12, "available_timestamp": 30, "x": 2},
        ]
    )

    assert answers_at(as_of(), rows, 12, 29, 30) == [1, 1, 2]


def test_a_late_older_event_never_beats_a_newer_one() -> None:
    rows = stored(
        [
            {"event_timestamp": 10, "available_timestamp": 40, "x": 1},
            {"event_timestamp": 20, "available_timestamp": 20, "x": 2},
        ]
    )

    assert answers_at(as_of(), rows, 15, 25, 45) == [None, 2, 2]


def test_a_constant_delay_shifts_when_rows_are_visible() -> None:
    rows = stored([{"event_timestamp": 10, "available_timestamp": 15, "x": 1}])
    query = as_of(rows=Rows(available_delay=5))

    assert answers_at(query, rows, 14, 15) == [None, 1]


def test_a_null_available_time_is_the_event_plus_the_delay_and_ranks_lowest() -> None:
    rows = stored(
        [
            {"event_timestamp": 10, "available_timestamp": None, "x": 1},
            {"event_timestamp": 10, "available_timestamp": 14, "x": 2},
        ]
    )
    query = as_of(rows=Rows(available_delay=5))

    assert answers_at(query, rows, 13, 14, 15, 99) == [None, 2, 2, 2]


def test_ties_on_the_event_time_go_to_the_later_available_then_the_higher_sequence() -> None:
    rows = stored(
        [
            {"event_timestamp": 10, "available_timestamp": 11, "_seq": 1, "x": 3},
            {"event_timestamp": 10, "available_timestamp": 11, "_seq": None, "x": 2},
            {"event_timestamp": 10, "available_timestamp": 10, "_seq": 9, "x": 1},
        ]
    )
    query = as_of(rows=Rows(has_sequence=True))

    assert answers_at(query, rows, 10, 11) == [1, 3]


def test_full_ties_go_to_the_greater_row_hash() -> None:
    rows = events((10, 1), (10, 2)).set_column(3, "_row_hash", pa.array([-(2**63), 2**63 - 1]))

    assert answers_at(as_of(), rows, 10) == [2]


def test_a_tombstone_answers_null_until_a_newer_row() -> None:
    rows = stored(
        [
            {"event_timestamp": 10, "_deleted": False, "x": 1},
            {"event_timestamp": 20, "_deleted": True, "x": 2},
            {"event_timestamp": 30, "_deleted": None, "x": 3},
        ]
    )
    query = as_of(rows=Rows(has_deleted=True))

    assert answers_at(query, rows, 15, 20, 29, 30) == [1, None, None, 3]


def test_a_revision_answers_for_its_event_from_its_available_time_on() -> None:
    rows = stored(
        [
            {"event_timestamp": 10, "available_timestamp": 10, "order": 7, "x": 1},
            {"event_timestamp": 10, "available_timestamp": 20, "order": 7, "x": 2},
        ]
    )
    query = as_of(rows=Rows(unique_by=("order",)))

    assert answers_at(query, rows, 10, 19, 20) == [1, 1, 2]


def test_a_revision_that_moves_back_in_time_uncovers_the_older_event() -> None:
    rows = stored(
        [
            {"event_timestamp": 5, "available_timestamp": 5, "order": 1, "x": 1},
            {"event_timestamp": 10, "available_timestamp": 10, "order": 2, "x": 2},
            {"event_timestamp": 3, "available_timestamp": 20, "order": 2, "x": 3},
        ]
    )
    query = as_of(rows=Rows(unique_by=("order",)))

    assert answers_at(query, rows, 10, 20) == [2, 1]


def test_a_tombstone_revision_retracts_its_event_as_if_it_had_never_been() -> None:
    rows = stored(
        [
            {
                "event_timestamp": 5,
                "available_timestamp": 5,
                "order": 1,
                "_deleted": False,
                "x": 1,
            },
            {
                "event_timestamp": 9,
                "available_timestamp": 9,
                "order": 2,
                "_deleted": False,
                "x": 2,
            },
            {
                "event_timestamp": 9,
                "available_timestamp": 20,
                "order": 2,
                "_deleted": True,
                "x": 2,
            },
        ]
    )
    query = as_of(rows=Rows(unique_by=("order",), has_deleted=True))

    assert answers_at(query, rows, 19, 20) == [2, 1]


def test_revisions_of_equal_rank_do_not_supersede_each_other() -> None:
    row = {"event_timestamp": 10, "available_timestamp": 10, "order": 7, "x": 1}
    query = as_of(rows=Rows(unique_by=("order",)))

    assert answers_at(query, stored([row, row]), 10) == [1]


def test_null_keys_and_times_of_the_spine_get_nulls_and_keep_their_rows() -> None:
    rows = events((10, 1))
    spine = pa.table({"card": [1, None, 1, 2], "at": [20, 20, None, 20]})

    assert answer_view(as_of(), spine, rows)["x"].to_pylist() == [1, None, None, None]


def test_null_keys_and_times_of_rows_never_match() -> None:
    rows = stored(
        [
            {"id": None, "event_timestamp": 10, "x": 1},
            {"id": 1, "event_timestamp": None, "x": 2},
        ]
    )
    spine = pa.table({"card": [None, 1], "at": [20, 20]})

    assert answer_view(as_of(), spine, rows)["x"].to_pylist() == [None, None]


def test_duplicated_spine_rows_stay_duplicated_in_the_order_of_the_spine() -> None:
    rows = events((10, 1), (20, 2))

    assert answers_at(as_of(), rows, 25, 15, 25, 15) == [2, 1, 2, 1]


def test_a_view_without_keys_answers_every_row() -> None:
    rows = events((10, 1), (20, 2)).drop_columns(["id"])

    assert answers_at(as_of(keys=()), rows, 15, 25) == [1, 2]


def test_composite_keys_compare_as_tuples_and_are_not_concatenated() -> None:
    keys = (KeyBinding("a", "left", String), KeyBinding("b", "right", String))
    rows = stored(
        [
            {"a": "1", "b": "12", "event_timestamp": 10, "x": 1},
            {"a": "11", "b": "2", "event_timestamp": 10, "x": 2},
        ]
    )
    spine = pa.table(
        {"left": ["11", "1", "11", "1"], "right": ["2", "12", "12", None], "at": [10] * 4}
    )

    assert answer_view(as_of(keys=keys), spine, rows)["x"].to_pylist() == [2, 1, None, None]


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())],
)
def test_text_keys_match_in_every_type_of_arrow(kind: pa.DataType) -> None:
    rows = stored([{"id": name, "event_timestamp": 10, "x": n} for n, name in enumerate("zaé")])
    spine = pa.table({"card": pa.array(["é", "a", None, "b", "z"], kind), "at": [10] * 5})
    query = as_of(keys=(KeyBinding("id", "card", String),))

    assert answer_view(query, spine, rows)["x"].to_pylist() == [2, 1, None, None, 0]


def test_text_keys_match_across_chunks_with_dictionaries_of_their_own() -> None:
    kind = pa.dictionary(pa.int8(), pa.string())
    chunks = [[f"c{n}" for n in range(100 * part, 100 * part + 100)] for part in range(3)]
    rows = stored([{"id": "", "event_timestamp": 10, "x": n} for n in range(300)])
    rows = rows.set_column(0, "id", pa.chunked_array([pa.array(part, kind) for part in chunks]))
    keys = pa.chunked_array([pa.array([*part[:1], None], kind) for part in reversed(chunks)])
    spine = pa.table({"card": keys, "at": [10] * 6})
    query = as_of(keys=(KeyBinding("id", "card", String),))

    answers = answer_view(query, spine, rows)["x"].to_pylist()

    assert answers == [200, None, 100, None, 0, None]


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint32(), pa.int64(), pa.uint64()])
def test_integer_keys_of_any_width_match_by_value(kind: pa.DataType) -> None:
    spine = pa.table({"card": pa.array([1, 2], kind), "at": [10, 10]})
    query = as_of(keys=(KeyBinding("id", "card", Int32),))

    assert answer_view(query, spine, events((10, 5)))["x"].to_pylist() == [5, None]


@pytest.mark.parametrize("keys", [[5, 6, 5], [5, 9], [5, 10**12], [-(2**63), 2**63 - 1]])
def test_rows_of_keys_below_between_and_above_the_spines_never_match(keys: list) -> None:
    others = sorted({-(2**63), 4, 5, 6, 7, 9, 10, 10**12, 10**15, 2**63 - 1})
    rows = stored([{"id": key, "event_timestamp": 10, "x": key} for key in others])
    rows = rows.filter(pc.invert(pc.is_in(rows["id"], pa.array(keys[:1]))))
    spine = pa.table({"card": keys, "at": [10] * len(keys)})

    answers = answer_view(as_of(), spine, rows)["x"].to_pylist()

    assert answers == [None if key == keys[0] else key for key in keys]


def test_dates_and_booleans_are_keys() -> None:
    keys = (KeyBinding("born", "born", Date), KeyBinding("active", "active", Boolean))
    day = dt.date(1969, 12, 31)
    rows = stored([{"born": day, "active": True, "event_timestamp": 10, "x": 4}])
    spine = pa.table({"born": [day, day], "active": [True, False], "at": [10, 10]})

    assert answer_view(as_of(keys=keys), spine, rows)["x"].to_pylist() == [4, None]


@pytest.mark.parametrize("values", [["1"], [1.0], [True]])
def test_a_spine_key_of_another_type_is_an_error_that_names_the_cast(values: list) -> None:
    spine = pa.table({"card": values, "at": [10]})

    with pytest.raises(SpineError) as error:
        answer_view(as_of(), spine, events((10, 5)))

    assert "'card'" in error.value.call
    assert str(spine["card"].type) in error.value.found
    assert "Int64" in error.value.fix


def test_a_spine_key_that_is_always_null_gives_nulls() -> None:
    spine = pa.table({"card": pa.nulls(2), "at": [10, 10]})

    assert answer_view(as_of(), spine, events((10, 5)))["x"].to_pylist() == [None, None]


def test_an_empty_spine_and_an_empty_view_answer_with_the_schema() -> None:
    rows = events((10, 0.5))
    spine = pa.table({"card": [1], "at": [10]})
    query = as_of(dtype=Float32)

    assert answer_view(query, spine[:0], rows).schema == pa.schema({"x": pa.float32()})
    assert answer_view(query, spine, rows[:0])["x"].to_pylist() == [None]


def test_rows_before_1970_and_at_the_ends_of_time_answer() -> None:
    first, last = -(2**63), 2**63 - 2
    rows = events((first, 1), (-5, 2), (last, 3))

    assert answers_at(as_of(ttl=10), rows, first, -6, -5, 5, 6, last - 1, last) == [
        1,
        None,
        2,
        2,
        None,
        None,
        3,
    ]


def test_lists_come_back_whole() -> None:
    rows = events((10, [1.0, None]), (20, None), dtype=pa.list_(pa.float32()))
    query = as_of(dtype=Array(Float32))

    assert answers_at(query, rows, 5, 15, 25) == [None, [1.0, None], None]


def test_rows_in_chunks_and_out_of_order_answer_the_same() -> None:
    rows = events((30, 3), (10, 1), (20, 2))
    rows = pa.concat_tables([rows[2:], rows[:1], rows[1:2]])

    assert answers_at(as_of(), rows, 10, 20, 30) == [1, 2, 3]


def test_spine_times_of_seconds_match_by_value() -> None:
    spine = pa.table({"card": [1], "at": pa.array([1], pa.timestamp("s", tz="UTC"))})

    assert answer_view(as_of(), spine, events((1_000_000, 5)))["x"].to_pylist() == [5]
