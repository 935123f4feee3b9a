"""Visits: only of patients without a diagnosis, and only with a horizon that is over."""

from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest

from demo.healthcare.data import (
    DIAGNOSES,
    LABS,
    PATIENTS,
    Cohort,
    build_sources,
    index_date,
    load_cohort,
)
from demo.healthcare.spine import HORIZON, labelled_visits


@pytest.fixture(scope="module")
def cohort() -> Cohort:
    return load_cohort()


def moment(day: str, hour: int = 0) -> pd.Timestamp:
    return pd.Timestamp(day, tz="UTC") + timedelta(hours=hour)


def small(samples: list[str], *, until: str, diagnosed: str | None = None) -> Cohort:
    """Return the cohort of one patient, enrolled in 2000 at the age of 50."""
    diagnoses = [] if diagnosed is None else [diagnosed]
    return Cohort(
        pd.DataFrame(
            {
                "patient_id": [1],
                "enrolled_at": [moment("2000-01-01")],
                "age": [50],
                "male": [1],
                "followed_until": [moment(until)],
            }
        ),
        pd.DataFrame({"patient_id": 1, "taken_at": [moment(day, 8) for day in samples]}),
        pd.DataFrame(
            {
                "patient_id": pd.Series([1] * len(diagnoses), dtype="int64"),
                "diagnosed_at": pd.to_datetime([moment(day, 10) for day in diagnoses], utc=True),
                "condition": pd.Series(["diabetes"] * len(diagnoses), dtype="object"),
            }
        ),
    )


def visits(cohort: Cohort) -> list[tuple[str, int]]:
    spine = labelled_visits(cohort)
    days = spine["event_timestamp"].dt.strftime("%Y-%m-%d %H:%M")
    return list(zip(days, spine["diagnosed"], strict=True))


def test_a_diagnosis_within_the_horizon_is_the_label() -> None:
    cohort = small(["2001-01-01", "2004-01-01"], until="2010-01-01", diagnosed="2005-06-01")

    assert visits(cohort) == [("2001-01-01 12:00", 0), ("2004-01-01 12:00", 1)]


def test_a_visit_whose_horizon_is_not_over_is_excluded_even_with_a_diagnosis() -> None:
    cohort = small(["2001-01-01", "2004-01-01"], until="2005-12-30", diagnosed="2005-06-01")

    assert visits(cohort) == [("2001-01-01 12:00", 0)]


def test_visits_after_the_diagnosis_are_excluded() -> None:
    cohort = small(["2001-01-01", "2004-01-01"], until="2010-01-01", diagnosed="2004-01-01")

    assert visits(cohort) == [("2001-01-01 12:00", 0)]


def test_visits_begin_at_enrolment_and_are_a_year_apart() -> None:
    cohort = small(["1999-12-31", "2001-01-01", "2001-12-31", "2002-01-01"], until="2010-01-01")

    assert visits(cohort) == [("2001-01-01 12:00", 0), ("2002-01-01 12:00", 0)]


def test_the_age_grows_from_enrolment_on() -> None:
    spine = labelled_visits(small(["2010-01-01"], until="2015-01-01"))

    assert spine["age"].tolist() == [pytest.approx(60, abs=0.01)]


def test_the_whole_cohort_has_labels_only_when_the_horizon_is_over(cohort: Cohort) -> None:
    spine = labelled_visits(cohort).merge(cohort.patients, on="patient_id")

    assert len(spine) == 24_134
    assert spine["diagnosed"].sum() == 930
    assert (spine["event_timestamp"] + HORIZON <= spine["followed_until"]).all()


def test_no_patient_of_the_spine_was_diagnosed_before_the_visit(cohort: Cohort) -> None:
    diabetes = cohort.diagnoses[cohort.diagnoses["condition"] == "diabetes"]
    spine = labelled_visits(cohort).merge(diabetes, on="patient_id")

    assert (spine["diagnosed_at"] > spine["event_timestamp"]).all()


def test_index_dates_are_spread_evenly_and_never_change() -> None:
    dates = index_date(pd.Series(range(15_000)))

    per_year = dates.dt.year.value_counts()

    assert str(dates[1].date()) == "1999-04-07"
    assert sorted(per_year.index) == list(range(1990, 2005))
    assert per_year.between(950, 1_050).all()


def test_events_have_the_days_of_the_published_table(cohort: Cohort) -> None:
    first = cohort.labs[cohort.labs["patient_id"] == 1]["taken_at"]

    assert first.iloc[0] == index_date(pd.Series([1]))[0] + timedelta(days=-459, hours=8)


def test_sources_are_written_once(cohort: Cohort, tmp_path: Path) -> None:
    few = Cohort(cohort.patients.head(5), cohort.labs.head(7), cohort.diagnoses.head(3))

    first = [source.rows for source in build_sources(tmp_path, few)]
    second = [source.rows for source in build_sources(tmp_path, few)]

    assert (first, second) == ([5, 7, 3], [0, 0, 0])
    assert {path.name for path in (tmp_path / PATIENTS).iterdir()} == {"cohort.csv"}
    assert {path.name for path in (tmp_path / DIAGNOSES).iterdir()} == {"cohort.json"}
    assert (tmp_path / LABS / "_delta_log").is_dir()


def test_the_published_table_repeats_hdl_as_chol_and_sbp_as_dbp(cohort: Cohort) -> None:
    tests = {
        name: set(rows[["patient_id", "taken_at", "value"]].itertuples(index=False, name=None))
        for name, rows in cohort.labs.groupby("test")
    }

    assert tests["sbp"] == tests["dbp"]
    assert len(tests["hdl"] ^ tests["chol"]) <= 1
