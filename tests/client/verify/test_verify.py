"""A check of answers looks where they change, and finds what is wrong and nothing else."""

from random import Random

import pyarrow as pa
import pytest
from hypothesis import given

import featurestore as fs
from featurestore.client.verify import recompute, verify
from featurestore.client.verify.edges import absent_keys, edges_of, moments_near
from featurestore.engines import reference
from featurestore.engines.explain import stored_rows
from featurestore.engines.explain.stored_rows import draw_keys, rows_of_keys
from featurestore.engines.kernel.functions.table import AGGREGATORS
from featurestore.errors import NotFoundError, RequestError, SpineError
from featurestore.query.nodes import KeyBinding, ViewQuery
from tests.client.shop import DEFINITIONS, HOUR, at, write_view
from tests.effort import examples
from tests.engines.kernel.worlds import World, worlds
from tests.tables import feature_table, write_runs

SPINE = [{"id": card, "event_timestamp": at(hour)} for card in (1, 2, 9) for hour in (2, 3, 8)]
BY_ID = (KeyBinding("id", "card", fs.Int64),)


def test_right_answers_are_verified_at_every_edge(filled: fs.FeatureStore) -> None:
    found = filled.verify("fraud", sample=50)

    assert found.ok
    assert {view.view: (view.rows > 10, view.version) for view in found.views} == {
        "profile": (True, 0), "activity": (True, 1), "rate": (False, 0),
    }  # fmt: skip
    assert found.views[1].cells == 3 * found.views[1].rows
    assert found.moments == "events"


def test_a_spine_gives_the_rows_that_are_verified(filled: fs.FeatureStore) -> None:
    found = filled.verify("fraud", spine=[*SPINE, {"id": None, "event_timestamp": at(1)}])
    some = filled.verify("fraud", spine=SPINE, sample=4)

    assert (found.ok, found.moments) == (True, "spine")
    assert [view.rows for view in found.views] == [10, 10, 10]
    assert [view.rows for view in some.views] == [4, 4, 4]


@pytest.fixture
def wrong_sums(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the kernel answer every sum by a maximum."""
    monkeypatch.setitem(AGGREGATORS, "sum", AGGREGATORS["max"])


@pytest.mark.usefixtures("wrong_sums")
@pytest.mark.parametrize("spine", [None, SPINE])
def test_a_wrong_aggregate_is_found_and_told(filled: fs.FeatureStore, spine: object) -> None:
    found = filled.verify("fraud", spine=spine)

    assert not found.ok
    assert {each.feature for each in found.differences} == {
        "amount_sum_2h", "amount_sum_lifetime"
    }  # fmt: skip
    assert "values differ from what the rules give" in str(found)


@pytest.mark.usefixtures("wrong_sums")
def test_a_difference_tells_both_values_and_why(filled: fs.FeatureStore) -> None:
    spine = [{"id": 1, "event_timestamp": at(3)}]

    difference, _ = filled.verify("fraud", spine=spine).differences

    assert (difference.view, difference.feature) == ("activity", "amount_sum_2h")
    assert (difference.key, difference.moment) == ({"id": 1}, at(3))
    assert (difference.engine, difference.reference) == (2.0, 3.0)
    assert difference.why == (
        "sum of 2 values from 1970-01-01 01:00:00Z to before 1970-01-01 03:00:00Z"
    )
    assert difference.explain == ("featurestore explain fraud id=1 --at 1970-01-01T03:00:00+00:00")


def test_the_same_seed_draws_the_same_rows_and_others_draw_others(filled: fs.FeatureStore) -> None:
    def drawn(seed: int) -> object:
        return filled.verify("fraud", leakage=True, sample=9, seed=seed)

    once = drawn(3)

    assert drawn(3) == once
    assert any(drawn(seed) != once for seed in range(3))


def test_a_feature_that_knows_rows_at_t_leaks(filled: fs.FeatureStore) -> None:
    city, euro = filled.verify("fraud", spine=SPINE, leakage=True).leaks[:1], filled.verify(
        "fraud", spine=[{"id": 1, "event_timestamp": at(1)}], leakage=True
    ).leaks  # fmt: skip

    leak = city[0]
    assert (leak.view, leak.feature, leak.rows, leak.of) == ("profile", "city", 1, 9)
    assert (leak.key, leak.moment) == ({"id": 1}, at(2))
    assert (leak.value, leak.without) == ("b", "a")
    assert "profile.strictly_before()" in leak.fix
    assert [each.feature for each in euro] == ["city", "spot_euro"]


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


def test_what_cannot_be_verified_is_told(filled: fs.FeatureStore) -> None:
    with pytest.raises(NotFoundError, match=r"Did you mean 'fraud'"):
        filled.verify("fruad")
    with pytest.raises(RequestError, match=r"sample is 0"):
        filled.verify("fraud", sample=0)
    with pytest.raises(SpineError, match=r"no column 'id'"):
        filled.verify("fraud", spine=[{"event_timestamp": at(1)}])


def test_a_view_without_rows_is_verified_by_a_spine_alone(store: fs.FeatureStore) -> None:
    empty = feature_table({"id": [1]}, [0], {"amount": [1.0]}).slice(0, 0)
    write_view(store, "activity", empty)

    assert store.verify(["activity"]).views[0].rows == 0
    assert store.verify(["activity"], spine=SPINE).views[0].rows == len(SPINE)


def test_keys_of_too_many_rows_are_left_out_and_counted(
    filled: fs.FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recompute, "MOST_ROWS", 1)

    (view,) = filled.verify(["activity"], spine=SPINE).views

    assert (view.rows, view.left_out) == (6, 3)


def test_without_a_spine_keys_of_too_many_rows_are_left_out_and_counted_too(
    store: fs.FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (recompute, verify):
        monkeypatch.setattr(module, "MOST_ROWS", 2)
    write_view(store, "activity", feature_table({"id": [1] * 3}, [1, 2, 3], {"amount": [1.0] * 3}))
    write_view(store, "rate", feature_table({}, [1, 2, 3], {"euro": [1.5] * 3}))

    views = store.verify(["activity", "rate"]).views

    # A key that does not occur is asked beside the one that does.
    assert [(view.rows, view.left_out) for view in views] == [(1, 1), (0, 1)]


def test_no_more_rows_are_gone_through_than_the_limit(
    filled: fs.FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recompute, "MOST_STEPS", 40)

    (view,) = filled.verify(["activity"], spine=SPINE).views

    assert view.differences == ()
    assert view.rows + view.left_out == 9
    assert view.left_out > 0


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
    """Cents whose sum of two is beyond Int64, but for those of key 2."""
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
    found = large.verify(["large"], spine=HOURS)

    assert found.ok
    assert [(each.feature, each.rows, each.of) for each in found.overflows] == [
        ("cents_sum_2h", 1, 8), ("cents_sum_lifetime", 3, 8),
    ]  # fmt: skip
    assert (found.overflows[0].key, found.overflows[0].moment) == ({"id": 1}, at(3))
    assert str(found) == (
        "24 values are as the rules give them; 2 features have sums that do not fit their type"
    )


def test_a_sum_that_does_not_fit_hides_no_difference(
    large: fs.FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(AGGREGATORS, "max", AGGREGATORS["sum"])

    (refused,) = large.verify(["large"], spine=HOURS).differences

    assert (refused.feature, refused.moment) == ("cents_max_2h", at(3))
    assert (refused.engine, refused.reference) == ("the sum does not fit its type", 2**62)


@pytest.mark.usefixtures("wrong_sums")
def test_an_answer_where_the_rules_have_none_is_a_difference(large: fs.FeatureStore) -> None:
    found = large.verify(["large"], spine=HOURS[:3]).differences

    assert [(each.feature, each.engine, each.reference) for each in found] == [
        ("cents_sum_2h", 2**62, "the sum does not fit its type"),
        ("cents_sum_lifetime", 2**62, "the sum does not fit its type"),
        ("cents_sum_lifetime", 2**62, "the sum does not fit its type"),
    ]


def test_what_is_computed_from_a_sum_that_does_not_fit_is_not_checked(
    large: fs.FeatureStore,
) -> None:
    found = large.verify(["twice"], spine=HOURS)

    assert [each.view for each in found.skipped] == ["twice"]
    assert "of an input, the sum of a window does not fit" in found.skipped[0].why
    assert found.ok


def test_a_check_of_nothing_says_so(filled: fs.FeatureStore, monkeypatch) -> None:
    nothing = pa.Table.from_pylist(SPINE).slice(0, 0)
    assert str(filled.verify("fraud", spine=nothing)) == (
        "nothing was checked: there were no rows to ask"
    )
    monkeypatch.setattr(recompute, "MOST_ROWS", 0)
    left_out = filled.verify(["profile"], spine=SPINE[:2])
    assert str(left_out) == "nothing was checked: 2 rows were left out"


def test_uses_of_one_view_are_told_apart_by_their_features(filled: fs.FeatureStore) -> None:
    uses = """
twice = fs.FeatureService("twice", features=(profile.strictly_before().with_prefix("a_"), profile))
"""
    folder = filled.settings.folder / "feature_defs" / "shop.py"
    folder.write_text(DEFINITIONS + uses)
    filled.apply(filled.plan())

    found = filled.verify("twice", spine=SPINE)

    assert [(view.view, view.features) for view in found.views] == [
        ("profile", ("a_city",)), ("profile", ("city",)),
    ]  # fmt: skip


@given(worlds())
@examples(100)
def test_answers_change_at_edges_only(world: World) -> None:
    view = world.query
    times = [asked["at"] for asked in world.spine if asked["at"] is not None]
    keyed = next((asked for asked in world.spine if reference.is_answerable(view, asked)), None)
    unit = min((abs(b - a) for a in times for b in times if a != b), default=1)
    if keyed is None or unit > 30:
        return
    mine = [
        row for row in world.rows
        if row["event_timestamp"] is not None
        and reference.row_key(view, row) == reference.spine_key(view, keyed)
    ]  # fmt: skip
    edges = {edge for row in mine for edge in edges_of(view, row)}
    try:
        answers = {t: answer_at(world, keyed, t) for t in range(-16, 60)}
    except reference.IntegerOverflowError:
        return

    changes = {t for t in range(-15, 60) if not reference.agree(answers[t], answers[t - 1], 0.0)}

    assert changes <= edges


def answer_at(world: World, keyed: dict, moment: int) -> list[object]:
    found = reference.answer_row(world.query, keyed | {"at": moment}, world.rows)
    return list(found.values())


def test_moments_lie_at_edges_or_a_microsecond_beside() -> None:
    view = ViewQuery("v", keys=(), timestamp_field="t", ttl=50)
    row = {"event_timestamp": 10, "available_timestamp": 30}

    near = moments_near(view, [row], 99, Random(0))

    assert sorted(near) == [9, 10, 11, 12, 29, 30, 31, 60, 61, 62]
    assert len(moments_near(view, [row], 3, Random(0))) == 3
    assert moments_near(view, [row | {"event_timestamp": None}], 3, Random(0)) == []


def test_strangers_are_no_keys_that_occur() -> None:
    keys = [(1, "a"), (2, "b"), (3, "c")]

    made = absent_keys(keys, 10, Random(0))

    assert made
    assert not set(made) & set(keys)
    assert absent_keys([()], 3, Random(0)) == []


@pytest.mark.parametrize("at_once", [1, 1_000_000])
def test_rows_of_keys_are_all_of_theirs_and_no_others(tmp_path, monkeypatch, at_once) -> None:
    monkeypatch.setattr(stored_rows, "READ_AT_ONCE", at_once)
    runs = [feature_table({"id": [1, 2, 3, 2]}, [1, 2, 3, n], {"x": [n, n, n, n]}) for n in (5, 6)]
    snapshot = write_runs(tmp_path, runs, row_group=2)
    view = ViewQuery("v", keys=BY_ID, timestamp_field="t")

    found = dict(rows_of_keys(view, snapshot, [(2,), (7,), (None,), (3,)], most=3))

    assert found[(2,)] is None
    assert [row["event_timestamp"] for row in found[(3,)]] == [3, 3]
    assert found[(7,)] == found[(None,)] == []


def test_drawn_keys_occur_and_have_the_time_of_an_event(tmp_path) -> None:
    ids = list(range(40))
    snapshot = write_runs(
        tmp_path, [feature_table({"id": ids}, [n * HOUR for n in ids], {"x": ids})], row_group=7
    )
    view = ViewQuery("v", keys=BY_ID, timestamp_field="t")

    drawn = draw_keys(view, snapshot, 12, Random(0))

    assert len(drawn) == 12
    assert all(event == key[0] * HOUR for key, event in drawn.items())
