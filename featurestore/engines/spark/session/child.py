"""The session that writes tables: a child of the user's session, with featurestore's settings."""

from pyspark.sql import SparkSession

from featurestore.store.delta.compaction import ROWS_PER_GROUP

# INT96, Spark's default for timestamps, has no statistics. Small row groups make look-ups fast.
# Their size is a setting of the session: Delta does not pass a writer's options to Parquet.
# A flipped bit in a source's or an upstream table's page would become a stored value.
# Spark would replace ${env:NAME} in a query, also in its texts, by the environment's value.
_OURS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.variable.substitute": "false",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "parquet.block.row.count.limit": str(ROWS_PER_GROUP),
    "parquet.page.verify-checksum.enabled": "true",
    "spark.databricks.delta.optimizeWrite.enabled": "false",
    "spark.databricks.delta.autoCompact.enabled": "false",
}


def own_session(spark: SparkSession) -> SparkSession:
    """Return a session with featurestore's settings that shares the context of ``spark``.

    The cluster and the cache are shared. Temporary views and settings are not, so those of
    ``spark`` stay as they are. Streams started from it use its settings in their batch functions.
    """
    # The method of Spark Connect has another name.
    child = spark.cloneSession() if hasattr(spark, "cloneSession") else spark.newSession()
    for name, value in _OURS.items():
        child.conf.set(name, value)
    return child
