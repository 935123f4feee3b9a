"""The features of the diagnosis model."""

import featurestore as fs
from feature_defs.healthcare.views import diagnosis_history, lab_history, patient_profile

diabetes_early_v1 = fs.FeatureService(
    "diabetes_early_v1",
    features=(patient_profile, lab_history, diagnosis_history),
    description="Diabetes found within two years of a visit",
    owner="clinical-ml@example.com",
    tags=("healthcare", "diagnosis"),
)
