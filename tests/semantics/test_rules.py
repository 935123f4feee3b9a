"""Each case of the rules, by name: every engine gives the answers in its examples.

The engines are the reference, the kernel, the engine in process on Delta tables, and the client,
from applied definitions to a frame. Rules about materialization are tested with Spark, in
tests/jobs.
"""

import inspect
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from deltalake import write_deltalake

import featurestore as fs
from featurestore.definitions.model.manifest import Manifest
from featurestore.engines.bind import bind
from featurestore.engines.kernel import answer_view
from featurestore.engines.reference import agree
from featurestore.engines.retrieval import answer as local
from featurestore.errors import RequestError, SpineError, TableError
from featurestore.query.nodes import Aggregate, Column
from featurestore.store.columns import arrow_type
from featurestore.store.delta.snapshot import open_snapshot
from featurestore.store.ledger.tables import Tables
from featurestore.times import from_micros
from tests.semantics import as_of, computed, spine
from tests.semantics.case import Case, Example, at, profile, spine_at
from tests.semantics.cases import CASES, TABLE
from tests.semantics.engines import ENGINES, World, make_world, record

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Holds = Callable[[str], None]
TEN = spine_at("10:00")

# The views of the tests of refusals, named as their messages show.
SHOP = profile(entities=(spine.ORDER,))
SHOP = replace(SHOP, name="shop", source=replace(SHOP.source, name="orders"))
PLANNED = replace(profile(), name="planned")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    more = Manifest.of([*SHOP.entities, SHOP.source, SHOP, profile(), profile().source, PLANNED])
    made = make_world(tmp_path_factory.mktemp("rules"), CASES, more)
    for view, rows in (("profile", as_of.EQUAL_TIME), ("shop", spine.COMPOSITE)):
        stored = rows.examples[0].stored()
        write_deltalake(made.store.layout.features(view, "t1"), stored)
        Tables(made.store.layout).record(record(more, view))
    return made


@pytest.fixture(params=ENGINES)
def holds(request: pytest.FixtureRequest, world: World) -> Holds:
    """Return a check that an engine gives the answers of a case's examples."""

    def check(slug: str) -> None:
        for example in case_of(slug).examples:
            answers = ENGINES[request.param](world, example)
            assert list(answers) == list(example.answers), example.caption
            for name, expected in example.answers.items():
                assert same(expected, answers[name]), (example.caption, name, answers[name])

    return check


def same(expected: tuple[object, ...], values: list[object]) -> bool:
    return len(expected) == len(values) and all(
        agree(want, got, 0.0) for want, got in zip(expected, values, strict=True)
    )


def case_of(slug: str) -> Case:
    return next(case for case in CASES if case.slug == slug)


def refused(slug: str, kind: type[Exception], call: Callable[[], object]) -> None:
    """Check that a call is refused with one of the messages that the page shows for the case."""
    with pytest.raises(kind) as raised:
        call()
    assert str(raised.value) in case_of(slug).refusals.values()


def test_equal_time_is_included(holds: Holds) -> None:
    holds("equal_time")


def test_window_upper_edge_is_out_unless_closed_right(holds: Holds) -> None:
    holds("window_upper_edge")


def test_window_lower_edge_is_in_unless_closed_right(holds: Holds) -> None:
    holds("window_lower_edge")


def test_ttl_boundary_is_exact_to_the_microsecond(holds: Holds) -> None:
    holds("ttl_boundary")


def test_ttl_expiry_gives_null_and_no_older_row(holds: Holds) -> None:
    holds("ttl_expiry")


def test_tie_is_broken_by_available_time_then_sequence_then_hash(holds: Holds) -> None:
    holds("tie")


def test_tie_is_broken_in_the_same_way_in_any_order_of_rows() -> None:
    for example in as_of.TIE.examples:
        query = example.query()
        bound = bind(query, example.spine_table())
        reversed_rows = example.stored().take(list(reversed(range(len(example.rows)))))

        answers = answer_view(query.views[0], bound, reversed_rows).to_pydict()

        assert answers == {name: list(values) for name, values in example.answers.items()}


def test_null_available_time_is_the_events_plus_the_delay_and_ranks_lowest(holds: Holds) -> None:
    holds("null_available")


def test_null_value_of_the_winner_is_the_answer(holds: Holds) -> None:
    holds("null_value")


def test_null_spine_key_in_any_part_gives_nulls_and_keeps_the_row(holds: Holds) -> None:
    holds("null_spine_key")


def test_null_spine_key_is_counted(world: World) -> None:
    example = spine.NULL_KEY.examples[0]
    name = world.name(example)

    frame = world.store.get_historical_features(name, example.spine_table())

    assert frame.null_key_rows == {name: 2}


def test_null_spine_ts_gives_nulls_if_it_is_allowed(holds: Holds) -> None:
    holds("null_spine_ts")


def test_null_spine_ts_is_refused_and_counted(world: World) -> None:
    rows = spine.NULL_TIME.examples[0].spine_table()

    refused(
        "null_spine_ts",
        SpineError,
        lambda: world.store.get_historical_features("profile", rows),
    )


def test_null_row_without_key_or_time_answers_no_row(holds: Holds) -> None:
    holds("null_row")


def test_duplicate_spine_rows_are_each_answered(holds: Holds) -> None:
    holds("duplicate_spine_rows")


def test_spine_extra_columns_come_back_before_the_features(holds: Holds) -> None:
    holds("spine_extra_columns")


def test_spine_extra_columns_of_any_type_come_back_unchanged(world: World) -> None:
    extra = {
        "z": pa.array(["b", None], pa.large_string()),
        "word": pa.array(["x", "x"]).dictionary_encode(),
        "at": pa.array([1, 2], pa.timestamp("ns")),
        "half": pa.array([0.5, None], pa.float16()),
        "a": pa.array([[1], []], pa.list_(pa.int8())),
    }
    rows = spine.EXTRA_COLUMNS.examples[0].spine_table().drop_columns(["note"])[:2]
    rows = pa.table({**extra, **{name: rows[name] for name in rows.column_names}})

    table = world.store.get_historical_features("profile", rows).to_arrow()

    assert table.column_names == [*rows.column_names, "city"]
    assert table.drop_columns(["city"]) == rows


def test_name_collision_is_avoided_by_a_prefix(holds: Holds) -> None:
    holds("name_collision")


def test_name_collision_is_refused_and_both_are_named(world: World) -> None:
    rows = list(spine_at("10:00", city="Lima", shop=1, number="1"))

    refused(
        "name_collision",
        SpineError,
        lambda: world.store.get_historical_features("profile", aware(rows)),
    )
    refused(
        "name_collision",
        RequestError,
        lambda: world.store.get_historical_features(["profile", "shop"], aware(rows)),
    )


def test_composite_keys_are_compared_part_by_part(holds: Holds) -> None:
    holds("composite_keys")


def test_composite_keys_of_another_type_are_refused(world: World) -> None:
    rows = aware(spine_at("10:00", shop="1", number="12"))

    refused(
        "composite_keys",
        SpineError,
        lambda: world.store.get_historical_features("shop", rows),
    )


def test_key_rename_lets_a_service_use_a_view_in_two_roles(holds: Holds) -> None:
    holds("key_rename")


def test_several_times_of_a_row_each_have_their_answer(holds: Holds) -> None:
    holds("several_times")


def test_naive_times_are_refused_without_their_zone(world: World) -> None:
    rows = [{"card": "A", "event_timestamp": datetime(2026, 3, 2, 13)}]  # noqa: DTZ001 - the case

    refused(
        "naive_times",
        SpineError,
        lambda: world.store.get_historical_features("profile", rows),
    )
    frame = world.store.get_historical_features("profile", rows, timezone="Europe/Paris")

    assert frame.to_arrow()["city"].to_pylist() == ["Oslo"]


def test_naive_times_mixed_with_aware_ones_are_refused(world: World) -> None:
    naive = {"card": "A", "event_timestamp": datetime(2026, 3, 2, 13)}  # noqa: DTZ001 - the case

    refused(
        "naive_times",
        SpineError,
        lambda: world.store.get_historical_features("profile", [*aware(TEN), naive]),
    )


def test_summer_time_does_not_change_how_long_a_day_is(holds: Holds) -> None:
    holds("summer_time")


def test_summer_time_is_what_a_naive_noon_of_paris_is_converted_by(world: World) -> None:
    example = case_of("summer_time").examples[0]
    noon = [{"card": "A", "event_timestamp": datetime(2026, 3, 29, 12)}]  # noqa: DTZ001 - the case

    frame = world.store.get_historical_features(world.name(example), noon, timezone="Europe/Paris")

    assert frame.to_arrow()["amount_sum_1d"].to_pylist() == [8.0]


def test_summer_time_ends_in_an_hour_that_is_refused(world: World) -> None:
    twice = [{"card": "A", "event_timestamp": datetime(2026, 10, 25, 2, 30)}]  # noqa: DTZ001 - the case

    with pytest.raises(SpineError, match=r"'Europe/Paris'(.|\n)*clock change.*to UTC"):
        world.store.get_historical_features("profile", twice, timezone="Europe/Paris")


@pytest.mark.xfail(
    raises=fs.DefinitionError, reason="calendar buckets do not exist yet", strict=True
)
def test_summer_time_moves_calendar_buckets_of_a_declared_zone() -> None:
    fs.Aggregation("amount", "sum", windows=("1d",), calendar="Europe/Paris")


def test_precision_is_a_microsecond(holds: Holds) -> None:
    holds("precision")


def test_precision_beyond_a_microsecond_is_refused_where_it_would_be_lost(world: World) -> None:
    nanos = 1000 * at("12:00")
    kind = pa.timestamp("ns", tz="UTC")
    whole = pa.table({"card": ["A"], "event_timestamp": pa.array([nanos], kind)})
    finer = pa.table({"card": ["A"], "event_timestamp": pa.array([nanos + 1], kind)})

    refused(
        "precision",
        SpineError,
        lambda: world.store.get_historical_features("profile", finer),
    )
    frame = world.store.get_historical_features("profile", whole)

    assert frame.to_arrow()["city"].to_pylist() == ["Oslo"]


def test_far_dates_are_moments_like_any_other(holds: Holds) -> None:
    holds("far_dates")


def test_late_arrival_answers_from_its_available_time_and_beats_no_newer_event(
    holds: Holds,
) -> None:
    holds("late_arrival")


def test_correction_answers_from_its_available_time(holds: Holds) -> None:
    holds("correction")


def test_correction_leaves_a_pinned_version_as_it_was(world: World, tmp_path: object) -> None:
    example = as_of.EQUAL_TIME.examples[0]
    query, folder = example.query("pinned"), str(tmp_path)
    write_deltalake(folder, example.stored())
    backfill = replace(example, rows=tuple(row | {"city": "Lima"} for row in example.rows[1:]))
    written = backfill.stored().set_column(4, "_row_hash", pa.array([2**63 - 1], pa.int64()))
    write_deltalake(folder, written, mode="append")

    tables = [
        local.answer(query, bind(query, example.spine_table()), {"pinned": snapshot})
        for snapshot in (open_snapshot(folder, 0), open_snapshot(folder))
    ]

    assert [table["city"].to_pylist() for table in tables] == [
        ["Rome", "Oslo", "Oslo"],
        ["Rome", "Lima", "Lima"],
    ]


def test_correction_is_visible_in_the_versions_that_were_read(world: World) -> None:
    frame = world.store.get_historical_features("profile", aware(TEN))

    assert frame.versions == {"profile": 0}


def test_correction_changes_no_saved_training_set(tmp_path: Path) -> None:
    view, example = profile(), as_of.EQUAL_TIME.examples[0]
    more = Manifest.of([*view.entities, view.source, view])
    store = make_world(tmp_path, (), more).store
    table = store.layout.features("profile", "t1")
    write_deltalake(table, example.stored())
    Tables(store.layout).record(record(more, "profile"))
    before = store.get_historical_features("profile", aware(TEN))
    before.save("before_the_correction")
    corrected = replace(example, rows=tuple(row | {"city": "Lima"} for row in example.rows))

    write_deltalake(table, corrected.stored(), mode="overwrite")

    after = store.get_historical_features("profile", aware(TEN))
    assert after.to_arrow()["city"].to_pylist() == ["Lima"]
    saved = store.load_training_set("before_the_correction")
    assert saved.to_arrow() == before.to_arrow() != after.to_arrow()


def test_data_delay_moves_windows_and_available_delay_what_they_see(holds: Holds) -> None:
    holds("data_delay")


def test_future_rows_answer_no_row_before_their_time(holds: Holds) -> None:
    holds("future_rows")


def test_tombstone_gives_null_or_takes_its_event_back(holds: Holds) -> None:
    holds("tombstone")


def test_empty_window_counts_0_and_is_null_else(holds: Holds) -> None:
    holds("empty_window")


def test_empty_or_missing_rows_give_nulls(holds: Holds) -> None:
    holds("empty_or_missing")


@pytest.mark.parametrize("slug", ["empty_window", "nested_values", "spine_extra_columns"])
def test_empty_or_missing_spine_rows_give_all_columns_and_no_row(world: World, slug: str) -> None:
    example = case_of(slug).examples[0]
    spine_rows = example.spine_table()[:0]

    table = world.store.get_historical_features(world.name(example), spine_rows).to_arrow()

    assert table.num_rows == 0
    assert table.schema == pa.schema(
        [*spine_rows.schema, *((f.output, arrow_type(f.result)) for f in features_of(example))]
    )


def features_of(example: Example) -> list[Column | Aggregate]:
    return [feature for view in example.query().views for feature in view.features]


def test_empty_or_missing_materialization_is_refused_with_the_command(world: World) -> None:
    refused(
        "empty_or_missing",
        TableError,
        lambda: world.store.get_historical_features("planned", aware(TEN)),
    )


def test_nan_and_infinity_reach_only_windows_that_hold_them(holds: Holds) -> None:
    holds("nan")


def test_nan_could_be_a_float_key_which_is_refused(world: World) -> None:
    rows = aware(spine_at("10:00", shop=1.0, number="12"))

    refused("nan", SpineError, lambda: world.store.get_historical_features("shop", rows))


def test_nested_values_come_back_whole(holds: Holds) -> None:
    holds("nested_values")


def test_label_leakage_is_avoided_by_strictly_before(holds: Holds) -> None:
    holds("label_leakage")


def test_label_leakage_is_reported_by_verify(world: World) -> None:
    rows = aware(spine_at("9:30", "11:00", "12:00", "12:00:00.000001"))
    strict = world.name(case_of("label_leakage").examples[0])

    (leak,) = world.store.verify("profile", spine=rows, leakage=True).leaks

    assert (leak.feature, leak.rows, leak.checked_rows) == ("city", 1, 4)
    assert (leak.moment, leak.value, leak.past_value) == (from_micros(at("12:00")), "Oslo", "Rome")
    assert "strictly_before()" in leak.fix
    assert world.store.verify(strict, spine=rows, leakage=True).ok


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.slug)
def test_verify_agrees_with_every_case(world: World, case: Case) -> None:
    for example in case.examples:
        by_spine = world.store.verify(world.name(example), spine=example.spine_table())
        by_edges = world.store.verify(world.name(example), sample=100)

        assert by_spine.ok, example.caption
        assert by_edges.ok, example.caption
        assert sum(view.cells for view in by_spine.views) > 0


def test_latest_ttl_is_the_historical_one(holds: Holds) -> None:
    holds("latest_ttl")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.slug)
def test_latest_ttl_and_every_other_rule_is_the_historical_one(world: World, case: Case) -> None:
    for example in case.examples:
        keys = example.spine_table().drop_columns(["event_timestamp"])[-1:]
        if "paid_at" in keys.column_names:
            continue  # the example has two time columns, latest values have one moment
        now = from_micros(example.spine[-1]["event_timestamp"])
        store = fs.FeatureStore(world.store.settings.folder, clock=lambda now=now: now)

        latest = store.get_latest_features(world.name(example), keys).to_arrow().to_pylist()[0]

        for name, expected in example.answers.items():
            assert same(expected[-1:], [latest[name]]), example.caption


def test_sliding_windows_end_on_their_grid(holds: Holds) -> None:
    holds("sliding")


def test_tumbling_windows_are_the_last_whole_interval_of_a_grid(
    holds: Holds,
) -> None:
    holds("tumbling")


def test_lifetime_windows_have_no_beginning(holds: Holds) -> None:
    holds("lifetime")


def test_derived_rows_are_visible_no_sooner_than_their_source_rows(holds: Holds) -> None:
    holds("derived")


def test_derived_rows_are_those_that_spark_makes_of_the_source_views(
    spark: "SparkSession",
) -> None:
    # Only here, so that the other tests need no Spark.
    from featurestore.engines.spark.retrieve import sample  # noqa: PLC0415 - see above

    upstream, *derived = case_of("derived").examples
    given = upstream.stored().drop_columns(["_row_hash"])
    for example, view in zip(derived, (computed.BY_HOUR, computed.LATER), strict=True):
        expected = example.stored().drop_columns(["_row_hash"]).to_pylist()

        stored = sample.stored_from_source_rows(view, given, spark).toArrow()
        rows = stored.select([*expected[0]]).to_pylist()

        assert sorted(rows, key=str) == sorted(expected, key=str)


def test_on_demand_inputs_are_as_of_the_rows_moment(holds: Holds) -> None:
    holds("on_demand")


def test_on_demand_features_are_computed_from_them_and_from_the_row(world: World) -> None:
    (example,) = case_of("on_demand").examples

    frame = world.store.get_historical_features(
        f"{world.name(example)}_computed", example.spine_table()
    )

    for name, expected in example.computed.answers.items():
        assert same(expected, frame.to_arrow()[name].to_pylist())


def test_labels_are_windows_that_end_when_their_horizon_does(holds: Holds) -> None:
    holds("labels")


def test_labels_are_those_of_the_call_with_a_label(world: World) -> None:
    (example,) = case_of("labels").examples
    view, (expected,) = world.name(example), example.answers.values()
    label = fs.Label(view, "amount", "sum", horizon="2h", maturity="1h")
    moments = [each["event_timestamp"] - example.ahead for each in example.spine]
    rows = [{"card": "A", "event_timestamp": from_micros(moment)} for moment in moments]
    last = from_micros(moments[-1] + example.ahead)
    store = fs.FeatureStore(world.store.settings.folder, clock=lambda: last)
    sooner = fs.FeatureStore(
        world.store.settings.folder, clock=lambda: last - timedelta(microseconds=1)
    )

    frame = store.get_training_set([view], rows, label=label)

    assert same(expected, frame.to_arrow()["label"].to_pylist())
    assert len(sooner.get_training_set([view], rows, label=label)) == len(rows) - 1


def aware(rows: list[dict] | tuple[dict, ...]) -> list[dict]:
    """Return spine rows with aware times, as users write them."""
    return [row | {"event_timestamp": from_micros(row["event_timestamp"])} for row in rows]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.slug)
def test_each_case_has_a_test_named_after_it(case: Case) -> None:
    tests = inspect.getmembers(sys.modules[__name__], inspect.isfunction)
    texts = [
        inspect.getsource(test) for name, test in tests if name.startswith(f"test_{case.slug}_")
    ]

    assert texts
    if case.examples:
        assert any(f'holds("{case.slug}")' in text for text in texts)
    if case.refusals:
        assert any("refused(" in text for text in texts)


def test_names_of_cases_are_unique() -> None:
    assert len(TABLE) == 32
    assert len({case.name for case in CASES}) == len({case.slug for case in CASES}) == len(CASES)
