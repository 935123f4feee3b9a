"""The entity of the domain: patients."""

import featurestore as fs

patient = fs.Entity(
    "patient",
    join_keys=(fs.Field("patient_id", fs.Int64, description="Number in the NAFLD cohort"),),
    description="A person of the NAFLD cohort, Olmsted County, Minnesota",
    owner="clinical-data@example.com",
    tags=("healthcare",),
)
