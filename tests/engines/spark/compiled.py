"""A session that compiles plans as users' sessions do; the tests' own session interprets them."""

from pyspark.sql import SparkSession


def compiling(spark: SparkSession) -> SparkSession:
    """Return the session after setting it to compile whole stages and single expressions."""
    spark.conf.set("spark.sql.codegen.wholeStage", "true")
    spark.conf.set("spark.sql.codegen.factoryMode", "CODEGEN_ONLY")
    return spark
