"""The spine: visits of patients, with the label "diabetes is diagnosed within two years"."""

from datetime import timedelta

import pandas as pd

from demo.healthcare.data import Cohort

CONDITION = "diabetes"
HORIZON = timedelta(days=730)
BETWEEN_VISITS = timedelta(days=365)


def labelled_visits(cohort: Cohort, horizon: timedelta = HORIZON) -> pd.DataFrame:
    """Return the visits whose label is known.

    A visit is a day with a laboratory sample, from enrolment on, at most one a year for a patient.
    Only these visits are returned: the patient is not diagnosed before it, and is followed for the
    whole horizon after it. Otherwise a missing diagnosis would not mean "no diabetes".

    Args:
        cohort: The cohort.
        horizon: How far the label looks ahead.

    Returns:
        ``patient_id``, ``event_timestamp`` (noon), ``age``, ``male`` and the label ``diagnosed``.
    """
    visits = _yearly(_visit_times(cohort)).merge(cohort.patients, on="patient_id")
    visits = visits.merge(_first_diagnosis(cohort), on="patient_id", how="left")
    at = visits["event_timestamp"]
    undiagnosed = ~(visits["diagnosed_at"] <= at)
    horizon_over = at + horizon <= visits["followed_until"]
    visits = visits.assign(
        age=visits["age"] + (at - visits["enrolled_at"]).dt.days / 365.25,
        diagnosed=(visits["diagnosed_at"] <= at + horizon).astype("int64"),
    )
    columns = ["patient_id", "event_timestamp", "age", "male", "diagnosed"]
    visits = visits.loc[undiagnosed & horizon_over & (at >= visits["enrolled_at"]), columns]
    return visits.sort_values(["event_timestamp", "patient_id"], ignore_index=True)


def _visit_times(cohort: Cohort) -> pd.DataFrame:
    days = cohort.labs["taken_at"].dt.normalize().rename("event_timestamp")
    visits = pd.concat([cohort.labs["patient_id"], days], axis=1).drop_duplicates()
    enrolled_at = cohort.patients.set_index("patient_id")["enrolled_at"]
    visits = visits[visits["event_timestamp"] >= visits["patient_id"].map(enrolled_at)]
    noon = visits["event_timestamp"] + timedelta(hours=12)
    return visits.assign(event_timestamp=noon).sort_values(["patient_id", "event_timestamp"])


def _yearly(visits: pd.DataFrame) -> pd.DataFrame:
    yearly = []
    patient, last = None, None
    for row in visits.itertuples(index=False):
        if row.patient_id != patient or row.event_timestamp - last >= BETWEEN_VISITS:
            patient, last = row.patient_id, row.event_timestamp
            yearly.append((patient, last))
    return pd.DataFrame(yearly, columns=["patient_id", "event_timestamp"])


def _first_diagnosis(cohort: Cohort) -> pd.Series:
    diabetes = cohort.diagnoses[cohort.diagnoses["condition"] == CONDITION]
    return diabetes.groupby("patient_id")["diagnosed_at"].min()
