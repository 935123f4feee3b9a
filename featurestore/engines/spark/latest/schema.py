"""The columns of a `latest` table: the keys, the features, and the moment."""

from pyspark.sql import types as T  # noqa: N812  # pyspark's own convention

from featurestore.definitions.model.view import FeatureView
from featurestore.engines.latest.answer import AS_OF
from featurestore.engines.spark.types import spark_type
from featurestore.query.compile import compile_view, output_fields
from featurestore.query.nodes import Query


def latest_schema(view: FeatureView) -> T.StructType:
    """Return the schema of the view's ``latest`` table."""
    fields = (*view.join_keys, *output_fields(Query("latest", (compile_view(view),))))
    return T.StructType(
        [
            *(T.StructField(field.name, spark_type(field.dtype)) for field in fields),
            T.StructField(AS_OF, T.TimestampType()),
        ]
    )
