"""The rows that a Delta table had before a write of ours, which turned out to be wrong."""

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from featurestore.engines.spark.session.child import own_session
from featurestore.quoting import spark_name


def newest_version(spark: SparkSession, address: str) -> int | None:
    """Return the newest version of a Delta table, as Spark reads it; None if there is no table.

    Args:
        spark: The session.
        address: The table's address.
    """
    try:
        # A session of ours: the user's would replace ${name} in the address.
        history = own_session(spark).sql(f"DESCRIBE HISTORY {_table(address)} LIMIT 1")
        return int(history.select("version").collect()[0][0])
    except AnalysisException:
        return None


def restore(spark: SparkSession, address: str, before: int | None) -> bool:
    """Give a table the rows and columns that it had before one write, and return whether it has.

    It is a commit of its own. Nothing is done if there was no table, or if somebody else has
    written to the table too.

    Args:
        spark: The session.
        address: The table's address.
        before: The version before the write; None if there was no table.
    """
    if before is None or newest_version(spark, address) != before + 1:
        return False
    own_session(spark).sql(f"RESTORE TABLE {_table(address)} TO VERSION AS OF {before}").collect()
    return True


def _table(address: str) -> str:
    return f"delta.{spark_name(address)}"
