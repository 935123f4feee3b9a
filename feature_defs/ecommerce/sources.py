"""The sources of ratings and films."""

import featurestore as fs

ratings = fs.DeltaSource(
    "ratings",
    path="data/ecommerce/ratings",
    timestamp_field="rated_at",
    unit="s",
    description="One row for each rating, from half a star to five, with the film's genres",
    owner="recommendations@example.com",
    tags=("ecommerce",),
)

movies = fs.FileSource(
    "movies",
    path="data/ecommerce/movies",
    format="parquet",
    timestamp_field="listed_at",
    description="The catalogue of films; listed_at is the moment of a film's first rating",
    owner="catalogue@example.com",
    tags=("ecommerce",),
)
