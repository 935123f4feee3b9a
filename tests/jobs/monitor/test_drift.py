"""Which profiles are compared, and which distances are breaches, on profiles of plain values."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.drift import Drift
from featurestore.jobs.monitor.compared import Comparison, ViewProfiles
from featurestore.jobs.monitor.drift import DEFAULT_THRESHOLDS, drift_observations
from featurestore.jobs.monitor.event_times import event_time_gap
from featurestore.jobs.monitor.observation import Observation
from featurestore.monitoring.profile import ColumnProfile, Profile, ProfileKind
from tests.definitions.rules.cases import view
from tests.monitoring.profiles import numbers

NOW = datetime(2026, 5, 10, tzinfo=UTC)
DAY = timedelta(days=1)
LOW, HIGH = [float(each % 10) for each in range(500)], [float(each % 30) for each in range(500)]
OF_NULLS = Drift("amount", nulls=0.05)
OF_PSI = Drift("amount", psi=0.2)


def amount(values: Sequence[float], absent: int = 0, column: str = "amount") -> ColumnProfile:
    return replace(numbers(values, absent=absent), column=column)


def profile(
    days_ago: float, *columns: ColumnProfile, kind: ProfileKind = "rows", name: str = "activity"
) -> Profile:
    at = NOW - DAY * days_ago
    run = f"r{days_ago:g}"
    return Profile(name, run_id=run, build_id="b1", at=at, kind=kind, columns=columns)


def found(
    drift: Sequence[Drift],
    *profiles: Profile,
    comparison: Comparison | None = None,
    training_set: Profile | None = None,
) -> list[Observation]:
    own = ViewProfiles(
        view(drift=drift, schema=view().schema[:1]),
        profiles=profiles,
        training_set=lambda name: training_set if name == "fraud" else None,
        prefixes=("", "card_"),
    )
    return list(drift_observations(own, comparison or Comparison(NOW)))


def test_a_distance_above_its_threshold_is_a_breach() -> None:
    observed = found([OF_PSI], profile(2, amount(LOW)), profile(1, amount(HIGH)))

    [each] = observed
    assert (each.state, each.feature, each.measure) == ("breach", "amount", "psi")
    assert each.value is not None and each.value > 1 > (each.threshold or 0)
    assert each.found


def test_equal_rows_are_ok() -> None:
    [each] = found([OF_PSI], profile(2, amount(LOW)), profile(1, amount(LOW)))

    assert (each.state, each.value, each.fix) == ("ok", 0.0, "")


def test_what_chance_explains_is_no_breach() -> None:
    few = profile(2, amount([1.0, 2.0, 3.0])), profile(1, amount([2.0, 3.0, 4.0]))

    [each] = found([OF_PSI], *few)

    assert each.state == "ok"
    assert (each.value or 0) > 0.2


@pytest.mark.parametrize(
    ("against", "state"),
    [("previous", "ok"), ("first", "breach"), ("training_set:fraud", "breach")],
)
def test_a_view_says_what_is_compared(against: str, state: str) -> None:
    training_set = profile(9, amount(LOW), kind="training_set", name="fraud")
    runs = profile(3, amount(LOW)), profile(2, amount(HIGH)), profile(1, amount(HIGH))

    [each] = found([replace(OF_PSI, against=against)], *runs, training_set=training_set)

    assert each.state == state


def test_rows_that_are_in_no_profile_of_window_features_are_counted() -> None:
    features = [profile(day, amount(LOW), kind="features") for day in (3, 2)]
    later = profile(0.5, amount(LOW[:7], absent=1))
    runs = profile(2, amount(LOW)), profile(1, amount(HIGH)), later

    tables = profile(2, amount(LOW), kind="table"), profile(0.5, amount(LOW * 7), kind="table")

    [stale] = found([OF_PSI], *features, *runs)
    [whole] = found([OF_PSI], *features, runs[0])
    [of_tables] = found([OF_PSI], *features, runs[2], *tables)

    assert (stale.state, stale.later_rows) == ("ok", 508)
    assert of_tables.later_rows == 3_000  # the runs between are in no profile that was read
    assert "508" in stale.found
    assert (whole.state, whole.later_rows) == ("ok", 0)


def test_times_move_on_and_are_no_drift_unless_a_view_says_so() -> None:
    low, high = (replace(amount(values), type="timestamp") for values in (LOW, HIGH))
    runs = profile(2, low), profile(1, high)

    undeclared = found([], *runs, comparison=Comparison(NOW, undeclared=True))
    declared = found([OF_PSI], *runs)

    assert undeclared == []
    assert [each.state for each in declared] == ["breach"]


def test_a_training_set_may_have_the_prefix_of_a_service() -> None:
    training_set = profile(
        9, amount(HIGH, column="card_amount"), kind="training_set", name="fraud"
    )
    drift = replace(OF_PSI, against="training_set:fraud")

    [each] = found([drift], profile(1, amount(LOW)), training_set=training_set)

    assert each.state == "breach"


@pytest.mark.parametrize(
    ("against", "profiles"),
    [
        ("previous", []),
        ("previous", [profile(1, amount(LOW))]),
        ("first", [profile(1, amount(LOW))]),
        ("training_set:other", [profile(1, amount(LOW))]),
        ("training_set:fraud", [profile(1, amount(LOW))]),
        ("previous", [profile(2), profile(1)]),
    ],
)
def test_without_two_profiles_nothing_is_compared(against: str, profiles: list[Profile]) -> None:
    empty = profile(9, kind="training_set", name="fraud")

    [each] = found([replace(OF_PSI, against=against)], *profiles, training_set=empty)

    assert (each.state, each.value, each.feature) == ("not compared", None, "amount")
    assert each.found


def test_a_column_without_values_is_not_compared_but_its_nulls_are() -> None:
    drift = [replace(OF_NULLS, psi=0.1)]
    runs = profile(2, amount(LOW)), profile(1, amount([], absent=500))

    states = {each.measure: each.state for each in found(drift, *runs)}

    assert states == {"psi": "not compared", "nulls": "breach"}


def test_answers_are_compared_rather_than_rows() -> None:
    rows = profile(3, amount(LOW)), profile(1, amount(HIGH))
    answers = [profile(each, amount(LOW), kind="features") for each in (3, 1)]

    [each] = found([OF_PSI], rows[0], answers[0], rows[1], answers[1])

    assert each.state == "ok"


def test_weeks_are_compared_as_one_profile_each() -> None:
    comparison = Comparison(NOW, since=NOW - 7 * DAY)
    before = [profile(day, amount(LOW)) for day in (20, 13, 9)]
    after = [profile(day, amount(HIGH)) for day in (6, 2)]
    older = [profile(30, amount(HIGH))]

    [each] = found([OF_PSI], *older, *before, *after, comparison=comparison)

    assert each.state == "breach"
    assert found([OF_PSI], *older, comparison=comparison)[0].state == "not compared"


def test_two_runs_can_be_named() -> None:
    runs = [profile(3, amount(LOW)), profile(2, amount(HIGH)), profile(1, amount(LOW))]

    [named] = found([OF_PSI], *runs, comparison=Comparison(NOW, run="r2", against="r3"))
    [before] = found([OF_PSI], *runs, comparison=Comparison(NOW, run="r2"))
    [unknown] = found([OF_PSI], *runs, comparison=Comparison(NOW, against="r9"))

    assert [each.state for each in (named, before, unknown)] == [
        "breach",
        "breach",
        "not compared",
    ]


def test_a_question_compares_all_features_with_default_thresholds() -> None:
    baseline = profile(9, amount(LOW), kind="training_set", name="training.parquet")
    comparison = Comparison(NOW, baseline=baseline)

    observed = found([], profile(1, amount(HIGH)), comparison=comparison)

    assert {each.measure: each.threshold for each in observed} == DEFAULT_THRESHOLDS
    assert {each.against for each in observed} == {"training.parquet"}
    assert found([], profile(1, amount(HIGH))) == []


def test_window_features_are_compared_by_their_answers() -> None:
    windows = view(
        aggregations=Aggregation("amount", "sum", windows=("1h",)),
        drift=Drift("amount_sum_1h", psi=0.2),
    )
    profiles = [
        profile(day, amount(values, column="amount_sum_1h"), kind="features")
        for day, values in ((2, LOW), (1, HIGH))
    ]
    own = ViewProfiles(windows, profiles=profiles, training_set=lambda name: None)

    [each] = drift_observations(own, Comparison(NOW))

    assert each.state == "breach"


def events(first_hour: float, last_hour: float) -> Profile:
    micros = [(NOW.timestamp() + 3600 * hour) * 1e6 for hour in (first_hour, last_hour)]
    column = ColumnProfile(
        "event_timestamp",
        type="timestamp",
        rows=10,
        nulls=0,
        minimum=int(micros[0]),
        maximum=int(micros[1]),
    )
    return profile(1, column)


def gap(*profiles: Profile) -> Observation | None:
    own = ViewProfiles(view(), profiles=profiles, training_set=lambda name: None)
    return event_time_gap(own)


def test_a_missing_interval_of_event_times_is_a_breach() -> None:
    hourly = [events(hour, hour + 0.9) for hour in range(24)]
    holed = [each for hour, each in enumerate(hourly) if hour not in (10, 11)]

    whole, missing = gap(*hourly), gap(*reversed(holed))

    assert whole is not None and missing is not None
    assert (whole.state, missing.state) == ("ok", "breach")
    assert missing.value == pytest.approx(2.1 * 3600)
    assert "--start 2026-05-10 --end 2026-05-11" in missing.fix


def test_overlapping_runs_have_no_gap() -> None:
    late = events(0, 30)

    observed = gap(late, *(events(hour, hour + 0.9) for hour in range(24)))

    assert observed is not None
    assert observed.state == "not compared"
    assert gap() is not None
