"""Each run that stores rows records their profile, that of the table, and that of features."""

from datetime import timedelta
from pathlib import Path

import pandera.polars as pandera
import polars as pl
import pytest
from deltalake import DeltaTable

from featurestore.definitions.model.types import Field, Float64
from featurestore.jobs.materialize.job import RunResult
from featurestore.monitoring.profile import ColumnProfile, Profile
from featurestore.monitoring.records import stored_profiles
from featurestore.store.fault_points import VARIABLE
from tests.jobs.world import SPENDING, World, other


@pytest.fixture
def profiled(world: World) -> World:
    world.profile = True
    return world


def by_kind(world: World, result: RunResult) -> dict[str, Profile]:
    return {
        each.kind: each
        for each in stored_profiles(world.layout, "spending")
        if each.run_id == result.run_id
    }


def column(profile: Profile, name: str) -> ColumnProfile:
    return {each.column: each for each in profile.columns}[name]


def test_the_profile_of_a_table_is_that_of_the_rows_of_its_runs(profiled: World) -> None:
    profiled.pay(("a", 0, 5.0), ("b", 1, float("nan")), ("b", 2, None))
    build = by_kind(profiled, profiled.materialize())
    profiled.pay(("c", 3, 8.0), ("c", 4, 5.0))
    profiled.now += timedelta(days=100)  # each key is answered when its newest row could be known
    run = by_kind(profiled, profiled.materialize())

    assert set(build) == set(run) == {"rows", "table", "features"}
    names = [each.column for each in run["table"].columns]
    assert names == ["card_id", "event_timestamp", "amount"]
    own, whole = column(run["rows"], "amount"), column(run["table"], "amount")
    assert (own.rows, own.minimum, own.maximum, own.mean) == (2, 5.0, 8.0, 6.5)
    assert (whole.rows, whole.nulls, whole.nans, whole.mean) == (5, 1, 1, 6.0)
    assert (whole.distinct, whole.top) == (2, (("5.0", 2), ("8.0", 1)))
    assert column(build["table"], "amount").rows == 3
    assert column(run["table"], "card_id").top is None
    (total,) = run["features"].columns
    assert (total.column, total.rows, total.nulls, total.nans) == ("amount_sum_7d", 3, 0, 1)
    assert total.maximum == 13.0
    assert run["features"].at == profiled.now


def test_a_run_without_rows_records_no_profile_and_damaged_sketches_are_made_again(
    profiled: World,
) -> None:
    profiled.pay(("a", 0, 5.0))
    build = profiled.materialize()
    before = stored_profiles(profiled.layout)

    assert profiled.materialize().status == "nothing"
    assert stored_profiles(profiled.layout) == before

    Path(profiled.layout.sketches(build.table_id)).write_text("damaged")
    profiled.pay(("b", 1, 6.0))

    result = profiled.materialize()

    assert column(by_kind(profiled, result)["table"], "amount").rows == 2


def test_the_profile_that_a_failed_run_lacks_is_made_from_the_table(
    profiled: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    profiled.pay(("a", 0, 5.0))
    profiled.materialize()
    profiled.pay(("b", 1, 6.0))
    monkeypatch.setenv(VARIABLE, "ledger.completed=raise")
    lost = profiled.materialize()
    monkeypatch.delenv(VARIABLE)
    profiled.pay(("c", 2, 7.0))

    result = profiled.materialize()

    assert by_kind(profiled, lost) == {}
    assert column(by_kind(profiled, result)["rows"], "amount").rows == 1
    whole = column(by_kind(profiled, result)["table"], "amount")
    assert (whole.rows, whole.mean) == (3, 6.0)


def test_no_problem_of_a_profile_fails_a_run(profiled: World) -> None:
    profiled.pay(("a", 0, 5.0))
    Path(profiled.layout.profiles()).parent.mkdir(parents=True)
    Path(profiled.layout.profiles()).write_text("no table")

    result = profiled.materialize()

    assert (result.status, result.rows_out) == ("done", 1)
    assert "profile" in result.message
    assert stored_profiles(profiled.layout) == ()


@pytest.mark.parametrize("switch", ["view", "project"])
def test_a_switch_leaves_profiles_out(profiled: World, switch: str) -> None:
    profiled.profile = switch != "project"
    profiled.views = [other(SPENDING, profile=switch != "view")]
    profiled.pay(("a", 0, 5.0))

    profiled.materialize()

    assert not DeltaTable.is_deltatable(profiled.layout.profiles())


def test_bad_rows_are_in_no_profile(profiled: World) -> None:
    expectations = pandera.DataFrameSchema(
        {"amount": pandera.Column(pl.Float64, pandera.Check.in_range(0, 100), nullable=True)}
    )
    profiled.views = [other(SPENDING, expectations=expectations)]
    profiled.pay(("a", 0, 5.0), ("b", 1, 500.0), (None, 2, 7.0))

    profiles = by_kind(profiled, profiled.materialize())

    assert column(profiles["rows"], "amount").maximum == 5.0
    assert column(profiles["table"], "amount").rows == 1


def test_to_mark_a_field_as_personal_builds_nothing(profiled: World) -> None:
    profiled.pay(("a", 0, 5.0))
    built = profiled.materialize()
    profiled.views = [other(SPENDING, schema=(Field("amount", Float64, personal=True),))]
    profiled.pay(("a", 1, 7.0))
    profiled.now += timedelta(hours=1)

    result = profiled.materialize()

    assert (result.kind, result.table_id) == ("run", built.table_id)
    profiles = by_kind(profiled, result)
    for profile in (column(profiles["table"], "amount"), profiles["features"].columns[0]):
        assert (profile.top, profile.minimum, profile.mean, profile.quantiles) == (
            *(None, None, None),
            (),
        )
    assert column(profiles["table"], "amount").rows == 2
