"""The session in which we write: a child of the user's, with our own settings."""

from pyspark.sql import SparkSession

# INT96, Spark's default for timestamps, carries no statistics. A writer's option does not reach
# Parquet through Delta, so the row limit is the session's; small row groups serve point look-ups.
_OURS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "parquet.block.row.count.limit": "50000",
    "spark.databricks.delta.optimizeWrite.enabled": "false",
    "spark.databricks.delta.autoCompact.enabled": "false",
}


def own_session(spark: SparkSession) -> SparkSession:
    """Return a session beside ``spark`` that has our settings and leaves its own alone.

    It shares the context, the cluster and the cache; temporary views and settings are its own.
    Streams started from it inherit its settings in their batch functions.
    """
    # Spark Connect names it differently.
    child = spark.cloneSession() if hasattr(spark, "cloneSession") else spark.newSession()
    for name, value in _OURS.items():
        child.conf.set(name, value)
    return child
