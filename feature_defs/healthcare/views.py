"""A patient's measurements at enrolment, laboratory history and earlier diagnoses."""

from typing import TYPE_CHECKING

import featurestore as fs
from feature_defs.healthcare.entities import patient
from feature_defs.healthcare.sources import diagnoses, lab_results, patients

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

patient_profile = fs.FeatureView(
    "patient_profile",
    entities=(patient,),
    source=patients,
    schema=(
        fs.Field("weight_kg", fs.Float64, description="Weight at enrolment"),
        fs.Field("height_cm", fs.Float64, description="Height at enrolment"),
        fs.Field("bmi", fs.Float64, description="Body mass index at enrolment"),
    ),
    description="Body measurements, visible from enrolment on",
    owner="clinical-data@example.com",
    tags=("healthcare",),
)

# One column for each test. All other columns of a row are null, and last, mean and other functions
# skip nulls. The published table repeats hdl as "chol" and sbp as "dbp": these two are left out.
# Pressures outside 40-300 mmHg (0 and 13,682 occur) are errors of writing, and are left out.
WIDE_LABS = """
    SELECT patient_id, taken_at,
           CASE WHEN test = 'hdl' THEN value END AS hdl,
           CASE WHEN test = 'sbp' AND value BETWEEN 40 AND 300 THEN value END AS sbp,
           CASE WHEN test = 'fib4' THEN value END AS fib4,
           CASE WHEN test = 'smoke' THEN value END AS smoke
    FROM {source}
    WHERE test IN ('hdl', 'sbp', 'fib4', 'smoke')
"""

lab_history = fs.FeatureView(
    "lab_history",
    entities=(patient,),
    source=lab_results,
    transform=WIDE_LABS,
    schema=(
        fs.Field("hdl", fs.Float64, description="High-density lipoprotein cholesterol, mg/dl"),
        fs.Field("sbp", fs.Float64, description="Systolic blood pressure, mmHg"),
        fs.Field("fib4", fs.Float64, description="Fibrosis-4 score of the liver"),
        fs.Field("smoke", fs.Float64, description="1 for a smoker"),
    ),
    aggregations=(
        fs.Aggregation("hdl", "last", windows=("lifetime",)),
        fs.Aggregation("hdl", "mean", windows=("730d", "lifetime")),
        fs.Aggregation("hdl", "min", windows=("lifetime",)),
        fs.Aggregation("hdl", "stddev", windows=("lifetime",)),
        fs.Aggregation("hdl", "count", windows=("730d", "lifetime")),
        fs.Aggregation("sbp", "last", windows=("730d",)),
        fs.Aggregation("sbp", "mean", windows=("730d", "lifetime")),
        fs.Aggregation("sbp", "max", windows=("lifetime",)),
        fs.Aggregation("sbp", "count", windows=("730d",)),
        fs.Aggregation("fib4", "max", windows=("lifetime",)),
        fs.Aggregation("smoke", "last", windows=("lifetime",)),
        fs.Aggregation("*", "count", windows=("730d",), name="labs"),
    ),
    # Results are known one day after the sample, so a visit does not use a sample of that day.
    available_delay="1d",
    description="Laboratory values and vital signs before a visit",
    owner="laboratory@example.com",
    tags=("healthcare", "laboratory"),
)


def flag_conditions(df: "DataFrame") -> "DataFrame":
    """Return one 0/1 column for each condition that the model uses."""
    from pyspark.sql import functions as sf  # noqa: PLC0415  # only the transform needs Spark

    return df.withColumns(
        {
            "hypertension": (sf.col("condition") == "htn").cast("int"),
            "dyslipidemia": (sf.col("condition") == "dyslipidemia").cast("int"),
            "fatty_liver": (sf.col("condition") == "nafld").cast("int"),
            "heart_disease": sf.col("condition")
            .isin("ang/isc", "MI", "afib", "heart failure", "cardiac arrest")
            .cast("int"),
        }
    )


diagnosis_history = fs.FeatureView(
    "diagnosis_history",
    entities=(patient,),
    source=diagnoses,
    transform=flag_conditions,
    schema=(
        fs.Field("hypertension", fs.Int32, description="1 for hypertension"),
        fs.Field("dyslipidemia", fs.Int32, description="1 for dyslipidemia"),
        fs.Field("fatty_liver", fs.Int32, description="1 for non-alcoholic fatty liver disease"),
        fs.Field("heart_disease", fs.Int32, description="1 for a disease of the heart"),
    ),
    aggregations=(
        fs.Aggregation("hypertension", "max", empty=0, name="has_hypertension"),
        fs.Aggregation("dyslipidemia", "max", empty=0, name="has_dyslipidemia"),
        fs.Aggregation("fatty_liver", "max", empty=0, name="has_fatty_liver"),
        fs.Aggregation("heart_disease", "max", empty=0, name="has_heart_disease"),
        fs.Aggregation("*", "count", windows=("1095d", "lifetime"), name="diagnoses"),
    ),
    # A diagnosis is known about a week later, when it is coded.
    available_delay="7d",
    description="Coded diagnoses before a visit",
    owner="clinical-data@example.com",
    tags=("healthcare",),
)
