"""A spine from a view has the events that exist at a moment, by time and keys."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

import featurestore as fs
from featurestore.engines import reference
from featurestore.errors import NotFoundError, RequestError
from featurestore.query.compile import compile_view
from featurestore.query.nodes import ViewQuery
from featurestore.times import from_micros
from tests.client.shop import HOUR, NOW, at, write_view
from tests.effort import examples
from tests.engines.kernel.worlds import content_hash, rows_table
from tests.tables import feature_table


def test_events_are_sorted_by_time_and_key_and_have_the_requested_columns(filled: fs.FeatureStore):
    spine = filled.get_label_spine("activity", columns=["amount"])

    assert spine.column_names == ["id", "event_timestamp", "amount"]
    assert spine["event_timestamp"].to_pylist() == [at(1), at(2), at(2), at(3)]
    assert spine["id"].to_pylist() == [1, 1, 2, 1]
    assert spine["amount"].to_pylist() == [1.0, 2.0, 10.0, 4.0]


def test_the_start_is_included_and_the_end_is_not(filled: fs.FeatureStore):
    bounded = filled.get_label_spine("activity", columns=[], start=at(2), end=at(3))
    early = filled.get_label_spine("activity", columns=[], as_of=at(1))

    assert bounded.to_pylist() == [
        {"id": 1, "event_timestamp": at(2)}, {"id": 2, "event_timestamp": at(2)},
    ]  # fmt: skip
    assert early.to_pylist() == [{"id": 1, "event_timestamp": at(1)}]


def test_a_label_spine_makes_a_training_set(filled: fs.FeatureStore):
    spine = filled.get_label_spine("activity", columns=["amount"], end="1970-01-01T03:00:00Z")

    frame = filled.get_training_set("fraud", spine, label="amount")

    assert frame.to_arrow()["amount"].to_pylist() == [1.0, 2.0, 10.0]
    assert frame.to_arrow()["count_2h"].to_pylist() == [0, 1, 0]


def test_events_that_become_visible_later_are_excluded(store: fs.FeatureStore):
    events = [1 * HOUR, 2 * HOUR]
    write_view(
        store, "rate", feature_table({}, events, {"euro": [1.0, 2.0]}, [20 * HOUR, 3 * HOUR])
    )

    assert store.get_label_spine("rate")["euro"].to_pylist() == [2.0]
    assert store.get_label_spine("rate", as_of=at(2.5))["euro"].to_pylist() == []
    assert store.get_label_spine("rate", as_of=at(20))["euro"].to_pylist() == [1.0, 2.0]


def test_wrong_names_and_times_are_errors(filled: fs.FeatureStore):
    with pytest.raises(NotFoundError, match=r"'activity_'.*mean 'activity'"):
        filled.get_label_spine("activity_")
    with pytest.raises(NotFoundError, match=r"'amuont'.*mean 'amount'"):
        filled.get_label_spine("activity", columns=["amuont"])
    with pytest.raises(RequestError) as times:
        filled.get_label_spine("activity", start=at(2), end=at(2))
    with pytest.raises(RequestError, match=r"'yesterday'"):
        filled.get_label_spine("activity", start="yesterday")

    assert times.value.call == "get_label_spine('activity')"
    assert str(at(2)) in times.value.found


CLAIMS = """
import featurestore as fs

card = fs.Entity("card", join_keys=(fs.Field("id", fs.Int64), fs.Field("name", fs.String)))
claims = fs.DeltaSource(
    "claims", path="data/claims", timestamp_field="at", available_timestamp_field="known",
    sequence_field="line", deleted_field="gone", unique_by=({unique_by}),
)
claim = fs.FeatureView(
    "claim", entities=(card,), source=claims, schema=(fs.Field("whole", fs.Int64),)
)
"""


def claims_store(folder: Path, unique_by: str) -> fs.FeatureStore:
    (folder / "featurestore.toml").write_text('project = "claims"\n')
    (folder / "feature_defs").mkdir()
    (folder / "feature_defs" / "claims.py").write_text(CLAIMS.format(unique_by=unique_by))
    store = fs.FeatureStore(folder, clock=lambda: NOW)
    store.apply(store.plan())
    return store


@given(st.data())
@examples(15)
@pytest.mark.parametrize("unique_by", ["", '"order",'])
def test_a_label_spine_has_the_events_of_the_reference(unique_by: str, data: st.DataObject):
    claims = st.builds(
        claim, st.tuples(*[st.integers(0, 3)] * 4), st.booleans(), st.integers(1, 2)
    )
    rows = data.draw(st.lists(claims, max_size=9))
    as_of, start, length = (data.draw(st.integers(*span)) for span in ((0, 7), (0, 3), (1, 4)))
    with TemporaryDirectory() as folder:
        store = claims_store(Path(folder), unique_by)
        query = compile_view(store.applied().view("claim"))
        write_view(store, "claim", rows_table(query, rows))

        spine = store.get_label_spine(
            "claim", start=from_micros(start), end=from_micros(start + length),
            as_of=from_micros(as_of),
        )  # fmt: skip

    expected = [
        (row["event_timestamp"], row["id"], row["name"], row["whole"])
        for row in rows
        if start <= row["event_timestamp"] < start + length and exists(query, row, rows, as_of)
    ]
    times = spine["event_timestamp"].cast("int64").to_pylist()
    names = ("id", "name", "whole")
    events = list(zip(times, *(spine[name].to_pylist() for name in names), strict=True))
    assert sorted(events) == sorted(expected)
    assert [each[:3] for each in events] == sorted(each[:3] for each in events)


def claim(numbers: tuple[int, ...], deleted: bool, card: int) -> dict:
    event, lag, line, order = numbers
    row = {
        "id": card, "name": "ab"[order % 2], "event_timestamp": event,
        "available_timestamp": event + lag - 1, "_seq": line, "_deleted": deleted,
        "order": order // 2, "whole": order,
    }  # fmt: skip
    return row | {"_row_hash": content_hash(row)}


def exists(query: ViewQuery, row: dict, rows: list[dict], moment: int) -> bool:
    spine_row = {"id": row["id"], "name": row["name"], "event_timestamp": moment}
    valid = reference.valid_rows(query, spine_row, rows)
    return any(each is row for each in valid) and not reference.is_tombstone(query, row)


def test_events_that_do_not_fit_the_memory_limit_are_an_error_before_they_are_read(
    filled: fs.FeatureStore,
):
    small = fs.FeatureStore(filled.settings.folder, clock=lambda: NOW, memory_limit=50)

    with pytest.raises(RequestError) as error:
        small.get_label_spine("activity")

    assert error.value.call == "get_label_spine('activity')"
    assert "memory_limit is 50B" in error.value.found
    assert "'activity'" in error.value.found


def test_one_field_may_be_named_alone(filled: fs.FeatureStore):
    spine = filled.get_label_spine("activity", columns="amount")

    assert spine.column_names == ["id", "event_timestamp", "amount"]
