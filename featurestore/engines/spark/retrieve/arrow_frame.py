"""Arrow rows as a Spark DataFrame."""

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from featurestore.engines.spark.errors.mapping import spark_errors
from featurestore.errors import SetupError


def spark_frame(spark: SparkSession, table: pa.Table) -> DataFrame:
    """Return rows as a Spark DataFrame.

    Args:
        spark: The session.
        table: The rows, with types that Spark holds. Times without a zone stay without one.

    Raises:
        SetupError: Spark does not take the rows.
    """
    # By default Spark takes times without a zone for moments in the session's zone.
    schema = from_arrow_schema(table.schema, prefer_timestamp_ntz=True)
    with spark_errors("to_spark()", SetupError):
        return spark.createDataFrame(table, schema)
