"""Tables of Spark's catalog, which only Spark can find: by their name in place of an address."""

from collections.abc import Iterable

from py4j.protocol import Py4JError
from pyspark.errors import AnalysisException, PySparkException
from pyspark.sql import SparkSession

from featurestore.errors import SourceError, nearest
from featurestore.quoting import spark_name

_SETTINGS = (
    "Check table=, and that the session of the Spark settings has that catalog "
    "(spark.sql.catalog.NAME)."
)


def require_catalog_table(spark: SparkSession, name: str, call: str, *, change_feed: bool) -> None:
    """Check that a name is that of a Delta table.

    Args:
        spark: A session.
        name: The table's name, with its schema.
        call: The operation, for the message.
        change_feed: Whether the table must record its changes.

    Raises:
        SourceError: There is no such table, or it is no Delta table, or it records no changes.
    """
    table = quoted(name)
    try:
        detail = spark.sql(f"DESCRIBE DETAIL {table}").collect()[0]
    except AnalysisException as error:
        raise SourceError(
            call, f"there is no table {name!r} ({_reason(error)})", _near(spark, name)
        ) from None
    if detail["format"] != "delta":
        raise SourceError(
            call,
            f"table {name!r} is a {detail['format']} table, not a Delta table",
            "Write its rows to a Delta table: CREATE TABLE ... USING delta AS SELECT ...",
        )
    enabled = (detail["properties"] or {}).get("delta.enableChangeDataFeed", "")
    if change_feed and enabled.lower() != "true":
        raise SourceError(
            call,
            f"table {name!r} does not record its changes",
            f"Run: ALTER TABLE {table} SET TBLPROPERTIES (delta.enableChangeDataFeed = true)",
        )


def table_location(spark: SparkSession, name: str) -> str | None:
    """Return the address of a Delta table's folder; None if the catalog does not say it.

    Args:
        spark: A session.
        name: The table's name, with its schema.
    """
    try:
        detail = spark.sql(f"DESCRIBE DETAIL {quoted(name)}").collect()[0]
    except (PySparkException, Py4JError):  # the run names what is wrong
        return None
    location = detail["location"] if detail["format"] == "delta" else None
    # Spark writes a local folder as file:/path.
    return None if not location else str(location).removeprefix("file:")


def quoted(name: str) -> str:
    """Return a table's name for Spark, each part quoted.

    Example:
        >>> quoted("shop.paid")
        '`shop`.`paid`'
    """
    return ".".join(map(spark_name, name.split(".")))


def _reason(error: AnalysisException) -> str:
    return str(error.getCondition() or str(error).splitlines()[0][:200])


def _near(spark: SparkSession, name: str) -> str:
    schema, _, own = name.rpartition(".")
    names: Iterable[str] = ()
    try:
        names = [each.name for each in spark.catalog.listTables(quoted(schema))]
    except PySparkException:  # there is no such schema either
        return _SETTINGS
    near = nearest(own, names)
    return f"{near} {_SETTINGS}" if names else _SETTINGS
