"""The versions of Spark and Delta with which features can be read and built."""

import re

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

# A shuffle calls DataFrame.repartitionById, which Spark 4.1 has first.
OLDEST_SPARK = (4, 1)
OLDEST_DELTA = (4, 0)
_NUMBER = re.compile(r"(\d+)\.(\d+)")


def version_problems(spark: SparkSession) -> list[str]:
    """Return what is wrong with the versions of a session; nothing if they are supported.

    Delta's version is known of a session of this process only, not of Spark Connect.

    Args:
        spark: The session.
    """
    return problems_of(spark.version, _delta_version(spark))


def problems_of(spark: str, delta: str | None) -> list[str]:
    """Return what is wrong with versions of Spark and Delta.

    Args:
        spark: Spark's version. One without numbers, of a platform, is taken as supported.
        delta: Delta's version; None if it is not known.

    Example:
        >>> problems_of("3.5.8", None)
        ['it is Spark 3.5.8, and the oldest supported version is 4.1']
        >>> problems_of("4.2.0", "4.4.0")
        []
    """
    found = (
        ("it is Spark", spark, OLDEST_SPARK),
        ("its Delta is", delta, OLDEST_DELTA),
    )
    return [
        f"{begin} {version}, and the oldest supported version is {oldest[0]}.{oldest[1]}"
        for begin, version, oldest in found
        if version and (number := _NUMBER.match(version)) and _pair(number) < oldest
    ]


def _pair(number: re.Match[str]) -> tuple[int, int]:
    return int(number[1]), int(number[2])


def _delta_version(spark: SparkSession) -> str | None:
    context = getattr(spark, "_sc", None)
    if context is None or context._jvm is None:
        return None
    try:
        package = getattr(context._jvm.io.delta, "package$")
        return str(getattr(package, "MODULE$").VERSION())
    except (Py4JError, TypeError):  # no Delta, which is a problem of its own
        return None
