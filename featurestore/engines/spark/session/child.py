"""The session that writes tables: a child of the user's session, with featurestore's settings."""

import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from featurestore.store.delta.replacement import BYTES_PER_GROUP, ROWS_PER_GROUP

TIMES_IN_FILES = ("spark.sql.parquet.outputTimestampType", "TIMESTAMP_MICROS")
"""The setting of times in files. INT96, Spark's default, is read as nanoseconds: to 2262 only."""

# INT96, Spark's default for timestamps, has no statistics. Small row groups make look-ups fast.
# Their size is a setting of the session: Delta does not pass a writer's options to Parquet.
# A flipped bit in a source's or an upstream table's page would become a stored value.
# Delta would read its whole state at a commit, to copy the list of files into the version's .crc
# file: 0.4 s of CPU at the first commit of a process. Nothing of ours reads that list.
# Spark would replace ${env:NAME} in a query, also in its texts, by the environment's value.
_OURS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.variable.substitute": "false",
    TIMES_IN_FILES[0]: TIMES_IN_FILES[1],
    "parquet.block.row.count.limit": str(ROWS_PER_GROUP),
    "parquet.block.size": str(BYTES_PER_GROUP),
    "parquet.page.verify-checksum.enabled": "true",
    "spark.databricks.delta.allFilesInCrc.enabled": "false",
    "spark.databricks.delta.optimizeWrite.enabled": "false",
    "spark.databricks.delta.autoCompact.enabled": "false",
}
# The check of transforms reads a plan's text there; Spark would cut it off after 25 columns.
_OF_CONNECT = {"spark.sql.debug.maxToStringFields": "100000"}


def own_session(spark: SparkSession) -> SparkSession:
    """Return a session with featurestore's settings that shares the context of ``spark``.

    The cluster and the cache are shared. Temporary views and settings are not, so those of
    ``spark`` stay as they are. Streams started from it use its settings in their batch functions.
    """
    child = _child(spark)
    ours = _OURS | _OF_CONNECT if hasattr(spark, "cloneSession") else _OURS
    for name, value in ours.items():
        child.conf.set(name, value)
    return child


def _child(spark: SparkSession) -> SparkSession:
    if not hasattr(spark, "cloneSession"):  # the method of Spark Connect
        return spark.newSession()
    child: SparkSession = spark.cloneSession()
    # PySpark 4.2 closes a session's channel when Python removes the session. At the end of Python,
    # the threads of gRPC that it waits for have ended by then, and Python would never end. A
    # finalizer runs before that.
    weakref.finalize(child, child.client.close)
    return child


@contextmanager
def micros_in_files(spark: SparkSession) -> Iterator[None]:
    """Let a session write times as microseconds, whatever it is set to, and set it back.

    A DataFrame of the user's session is written by this session: it cannot be moved to a child.

    Args:
        spark: The session of the DataFrame.
    """
    name, micros = TIMES_IN_FILES
    before = spark.conf.get(name)
    spark.conf.set(name, micros)
    try:
        yield
    finally:
        if before is not None:
            spark.conf.set(name, before)
