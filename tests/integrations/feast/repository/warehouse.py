"""Features whose rows are in a warehouse: `feast apply` needs an account there."""

from feast import BigQuerySource, FeatureService, FeatureView, Field
from feast.types import Float64
from rides import driver, driver_stats

warehouse = BigQuerySource(name="warehouse", table="rides.ratings", timestamp_field="at")
driver_ratings = FeatureView(
    name="driver_ratings",
    entities=[driver],
    schema=[Field(name="rating", dtype=Float64)],
    source=warehouse,
)
ratings_v1 = FeatureService(name="ratings_v1", features=[driver_ratings])
ratings_v2 = FeatureService(name="ratings_v2", features=[driver_ratings, driver_stats])
