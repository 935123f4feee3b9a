"""Verification checks the moments at which answers change, and finds every wrong value only."""

from dataclasses import replace
from random import Random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import featurestore as fs
from featurestore.client.verify import recompute, verify
from featurestore.client.verify.edges import absent_keys, edges_of, moments_near
from featurestore.client.verify.values import OVERFLOW, same_value, value_or_overflow
from featurestore.engines import reference
from featurestore.engines.kernel.functions.table import AGGREGATORS
from featurestore.errors import NotFoundError, RequestError, SpineError
from featurestore.query.nodes import KeyBinding, ViewQuery
from tests.client.shop import DEFINITIONS, HOUR, NOW, at, write_view
from tests.effort import examples
from tests.engines.kernel.worlds import ORDINARY, World, worlds
from tests.tables import feature_table

SPINE = [{"id": card, "event_timestamp": at(hour)} for card in (1, 2, 9) for hour in (2, 3, 8)]
BY_ID = (KeyBinding("id", "card", fs.Int64),)


def test_right_answers_are_verified_at_every_edge(filled: fs.FeatureStore) -> None:
    result = filled.verify("fraud", sample=50)

    assert result.ok
    assert {view.view: (view.rows > 10, view.version) for view in result.views} == {
        "profile": (True, 0), "activity": (True, 1), "rate": (False, 0),
    }  # fmt: skip
    assert result.views[1].cells == 3 * result.views[1].rows
    assert result.moments == "events"


def test_a_spine_gives_the_rows_that_are_verified(filled: fs.FeatureStore) -> None:
    whole = filled.verify("fraud", spine=[*SPINE, {"id": None, "event_timestamp": at(1)}])
    sampled = filled.verify("fraud", spine=SPINE, sample=4)

    assert (whole.ok, whole.moments) == (True, "spine")
    assert [view.rows for view in whole.views] == [10, 10, 10]
    assert [view.rows for view in sampled.views] == [4, 4, 4]


@pytest.fixture
def wrong_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the kernel answer every sum by a maximum."""
    monkeypatch.setitem(AGGREGATORS, "sum", AGGREGATORS["max"])


@pytest.mark.usefixtures("wrong_sums")
@pytest.mark.parametrize("spine", [None, SPINE])
def test_exactly_the_wrong_aggregates_differ(filled: fs.FeatureStore, spine: object) -> None:
    result = filled.verify("fraud", spine=spine)

    assert not result.ok
    assert {each.feature for each in result.differences} == {
        "amount_sum_2h", "amount_sum_lifetime"
    }  # fmt: skip
    assert str(result).startswith(f"{len(result.differences)} of {result.cells} values differ")


@pytest.mark.usefixtures("wrong_sums")
def test_a_difference_has_both_values_the_reason_and_a_command(filled: fs.FeatureStore) -> None:
    spine = [{"id": 1, "event_timestamp": at(3)}]

    difference, _ = filled.verify("fraud", spine=spine).differences

    assert (difference.view, difference.feature) == ("activity", "amount_sum_2h")
    assert (difference.key, difference.moment) == ({"id": 1}, at(3))
    assert (difference.engine, difference.reference) == (2.0, 3.0)
    for part in ("2 values", "1970-01-01 01:00:00Z", "1970-01-01 03:00:00Z"):
        assert part in difference.reason
    assert difference.explain_command == (
        "featurestore explain fraud id=1 --at 1970-01-01T03:00:00+00:00"
    )


def test_the_same_seed_selects_the_same_rows_and_others_select_others(
    filled: fs.FeatureStore,
) -> None:
    def verified(seed: int) -> object:
        return filled.verify("fraud", leakage=True, sample=9, seed=seed)

    once = verified(3)

    assert verified(3) == once
    assert any(verified(seed) != once for seed in range(3))


def test_a_feature_that_uses_an_event_at_t_leaks(filled: fs.FeatureStore) -> None:
    (leak,) = filled.verify("fraud", spine=SPINE, leakage=True).leaks
    at_one = filled.verify("fraud", spine=[{"id": 1, "event_timestamp": at(1)}], leakage=True)

    assert (leak.view, leak.feature, leak.rows, leak.checked_rows) == ("profile", "city", 1, 9)
    assert (leak.key, leak.moment) == ({"id": 1}, at(2))
    assert (leak.value, leak.past_value) == ("b", "a")
    assert "profile.strictly_before()" in leak.fix
    assert [each.feature for each in at_one.leaks] == ["city", "spot_euro"]


def test_windows_leak_only_if_they_are_closed_on_the_right(
    store: fs.FeatureStore, filled: fs.FeatureStore
) -> None:
    folder = store.settings.folder / "feature_defs" / "shop.py"
    rolled = '"count", windows=("2h",)'
    folder.write_text(DEFINITIONS.replace(rolled, rolled + ', closed="right"'))
    store.apply(store.plan())

    leaks = store.verify(["activity"], spine=SPINE, leakage=True).leaks

    assert [(leak.feature, leak.rows) for leak in leaks] == [("count_2h", 3)]
    assert 'closed="left"' in leaks[0].fix


def test_a_wrong_name_a_sample_of_0_and_a_spine_without_keys_are_errors(
    filled: fs.FeatureStore,
) -> None:
    with pytest.raises(NotFoundError) as name:
        filled.verify("fruad")
    with pytest.raises(RequestError) as sample:
        filled.verify("fraud", sample=0)
    with pytest.raises(SpineError) as keys:
        filled.verify("fraud", spine=[{"event_timestamp": at(1)}])

    assert name.value.call == "verify('fruad')"
    assert "'fraud'" in name.value.fix
    assert ("0" in sample.value.found, "sample=" in sample.value.fix) == (True, True)
    assert "'id'" in keys.value.found


def test_verify_keeps_within_the_memory_limit(filled: fs.FeatureStore) -> None:
    small = fs.FeatureStore(filled.settings.folder, clock=lambda: NOW, memory_limit=50)

    with pytest.raises(RequestError, match="memory_limit is 50B"):
        small.verify("activity", sample=5)


def test_a_view_without_rows_is_verified_by_a_spine_alone(store: fs.FeatureStore) -> None:
    empty = feature_table({"id": [1]}, [0], {"amount": [1.0]}).slice(0, 0)
    write_view(store, "activity", empty)

    assert store.verify(["activity"]).views[0].rows == 0
    assert store.verify(["activity"], spine=SPINE).views[0].rows == len(SPINE)


def test_keys_with_too_many_rows_are_counted_as_not_checked(
    filled: fs.FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recompute, "MOST_ROWS", 1)

    (view,) = filled.verify(["activity"], spine=SPINE).views

    assert (view.rows, view.unchecked_rows) == (6, 3)


def test_without_a_spine_keys_with_too_many_rows_are_counted_as_not_checked_too(
    store: fs.FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (recompute, verify):
        monkeypatch.setattr(module, "MOST_ROWS", 2)
    write_view(store, "activity", feature_table({"id": [1] * 3}, [1, 2, 3], {"amount": [1.0] * 3}))
    write_view(store, "rate", feature_table({}, [1, 2, 3], {"euro": [1.5] * 3}))

    views = store.verify(["activity", "rate"]).views

    # The checked row of `activity` has an absent key; its only stored key has too many rows.
    assert [(view.rows, view.unchecked_rows) for view in views] == [(1, 1), (0, 1)]


def test_the_reference_takes_no_more_steps_than_its_limit(
    filled: fs.FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recompute, "MOST_STEPS", 40)

    (view,) = filled.verify(["activity"], spine=SPINE).views

    assert view.differences == ()
    assert view.rows + view.unchecked_rows == 9
    assert view.unchecked_rows > 0


LARGE = """
large = fs.FeatureView(
    "large", entities=(card,), source=paid, schema=(fs.Field("cents", fs.Int64),),
    aggregations=(
        fs.Aggregation("cents", "sum", windows=("2h", "lifetime")),
        fs.Aggregation("cents", "max", windows=("2h",)),
    ),
)
twice = fs.OnDemandFeatureView(
    "twice", sources=(large,), schema=(fs.Field("most", fs.Int64),),
    transform={"most": "coalesce(cents_sum_lifetime, cents_max_2h)"},
)
"""


@pytest.fixture
def large(store: fs.FeatureStore) -> fs.FeatureStore:
    """For key 1, the sum of two values does not fit Int64. For key 2 it does."""
    (store.settings.folder / "feature_defs" / "shop.py").write_text(DEFINITIONS + LARGE)
    store.apply(store.plan())
    events, cents = [1 * HOUR, 2 * HOUR, 7 * HOUR, 1 * HOUR], [2**62, 2**62, 3, 4]
    write_view(store, "large", feature_table({"id": [1, 1, 1, 2]}, events, {"cents": cents}))
    return store


HOURS = [
    {"id": card, "event_timestamp": at(hour)} for card in (1, 2) for hour in (2, 3, 4, 8)
]  # fmt: skip


def test_a_sum_that_does_not_fit_is_reported_and_all_else_is_verified(
    large: fs.FeatureStore,
) -> None:
    result = large.verify(["large"], spine=HOURS)

    assert (result.ok, result.cells) == (True, 24)
    assert [(each.feature, each.rows, each.checked_rows) for each in result.overflows] == [
        ("cents_sum_2h", 1, 8), ("cents_sum_lifetime", 3, 8),
    ]  # fmt: skip
    assert (result.overflows[0].key, result.overflows[0].moment) == ({"id": 1}, at(3))
    compared, overflows = str(result).split("; ")
    assert compared.startswith("24 values ")
    assert overflows.startswith("2 features ")


def test_a_sum_that_does_not_fit_hides_no_difference(
    large: fs.FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(AGGREGATORS, "max", AGGREGATORS["sum"])

    (difference,) = large.verify(["large"], spine=HOURS).differences

    assert (difference.feature, difference.moment) == ("cents_max_2h", at(3))
    assert (difference.engine, difference.reference) == (OVERFLOW, 2**62)


@pytest.mark.usefixtures("wrong_sums")
def test_a_value_where_the_reference_overflows_is_a_difference(large: fs.FeatureStore) -> None:
    differences = large.verify(["large"], spine=HOURS[:3]).differences

    assert [(each.feature, each.engine, each.reference) for each in differences] == [
        ("cents_sum_2h", 2**62, OVERFLOW),
        ("cents_sum_lifetime", 2**62, OVERFLOW),
        ("cents_sum_lifetime", 2**62, OVERFLOW),
    ]


def test_on_demand_features_of_an_input_that_overflows_are_not_checked(
    large: fs.FeatureStore,
) -> None:
    result = large.verify(["twice"], spine=HOURS)

    assert [(each.view, each.features) for each in result.skipped] == [("twice", ("most",))]
    assert "Int64" in result.skipped[0].reason
    assert "'cents'" in result.skipped[0].fix
    assert result.ok


def test_the_summary_of_a_check_of_no_rows_says_so(filled: fs.FeatureStore, monkeypatch) -> None:
    no_rows = pa.Table.from_pylist(SPINE).slice(0, 0)
    assert str(filled.verify("fraud", spine=no_rows)).startswith("nothing was checked")
    monkeypatch.setattr(recompute, "MOST_ROWS", 0)
    too_slow = filled.verify(["profile"], spine=SPINE[:2])
    assert str(too_slow).startswith("nothing was checked: 2 rows")


def test_uses_of_one_view_have_results_of_their_own(filled: fs.FeatureStore) -> None:
    uses = """
twice = fs.FeatureService("twice", features=(profile.strictly_before().with_prefix("a_"), profile))
"""
    folder = filled.settings.folder / "feature_defs" / "shop.py"
    folder.write_text(DEFINITIONS + uses)
    filled.apply(filled.plan())

    result = filled.verify("twice", spine=SPINE)

    assert [(view.view, view.features) for view in result.views] == [
        ("profile", ("a_city",)), ("profile", ("city",)),
    ]  # fmt: skip


# Times of few microseconds, so that every moment around them can be tried.
SHORT = replace(ORDINARY, units=(1,))


@given(world=worlds(kit=SHORT), data=st.data())
@examples(100)
def test_answers_change_at_edges_only(world: World, data: st.DataObject) -> None:
    view = world.query
    key = data.draw(st.fixed_dictionaries({k.key: SHORT.keys[k.key][1] for k in view.keys}))
    spine_row = {each.spine_column: key[each.key] for each in view.keys}
    # At least one row of the key, so that there is something to change.
    rows = [world_row | key if n == 0 else world_row for n, world_row in enumerate(world.rows)]
    stored = [
        row for row in rows
        if row["event_timestamp"] is not None
        and reference.row_key(view, row) == reference.spine_key(view, spine_row)
    ]  # fmt: skip
    edges = {edge for row in stored for edge in edges_of(view, row)}

    answers = {t: answer_at(view, spine_row | {"at": t}, rows) for t in range(-16, 60)}

    changes = {t for t in range(-15, 60) if not agree(answers[t], answers[t - 1])}
    assert changes <= edges


def answer_at(view: ViewQuery, spine_row: dict, rows: list[dict]) -> list[object]:
    valid = reference.valid_rows(view, spine_row, rows)
    return [value_or_overflow(view, each, spine_row, valid) for each in view.features]


def agree(answer: list[object], other: list[object]) -> bool:
    return all(map(same_value, answer, other))


def test_sampled_moments_lie_at_edges_or_a_microsecond_beside() -> None:
    view = ViewQuery("v", keys=(), timestamp_field="t", ttl=50)
    row = {"event_timestamp": 10, "available_timestamp": 30}

    near = moments_near(view, [row], 99, Random(0))

    assert sorted(near) == [9, 10, 11, 12, 29, 30, 31, 60, 61, 62]
    assert len(moments_near(view, [row], 3, Random(0))) == 3
    assert moments_near(view, [row | {"event_timestamp": None}], 3, Random(0)) == []


def test_absent_keys_are_not_stored() -> None:
    keys = [(1, "a"), (2, "b"), (3, "c")]

    made = absent_keys(keys, 10, Random(0))

    assert made
    assert not set(made) & set(keys)
    assert absent_keys([()], 3, Random(0)) == []
