"""The sources of the cohort's rows: CSV files, a Delta table and JSON files."""

import featurestore as fs

patients = fs.FileSource(
    "patients",
    path="data/healthcare/patients",
    format="csv",
    schema=(
        fs.Field("patient_id", fs.Int64),
        fs.Field("enrolled_at", fs.Timestamp),
        fs.Field("age", fs.Int32),
        fs.Field("male", fs.Int32),
        fs.Field("weight_kg", fs.Float64),
        fs.Field("height_cm", fs.Float64),
        fs.Field("bmi", fs.Float64),
    ),
    timestamp_field="enrolled_at",
    description="One line for each patient, measured at enrolment (nafld1)",
    owner="clinical-data@example.com",
    tags=("healthcare",),
)

lab_results = fs.DeltaSource(
    "lab_results",
    path="data/healthcare/lab_results",
    timestamp_field="taken_at",
    description="One row for each laboratory value or vital sign, in long form (nafld2)",
    owner="laboratory@example.com",
    tags=("healthcare",),
)

diagnoses = fs.FileSource(
    "diagnoses",
    path="data/healthcare/diagnoses",
    format="json",
    schema=(
        fs.Field("patient_id", fs.Int64),
        fs.Field("diagnosed_at", fs.Timestamp),
        fs.Field("condition", fs.String),
    ),
    timestamp_field="diagnosed_at",
    description="One line for each coded diagnosis (nafld3)",
    owner="clinical-data@example.com",
    tags=("healthcare",),
)
