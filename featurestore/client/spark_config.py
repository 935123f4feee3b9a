"""The settings for a Spark session of the user's own."""

from featurestore.optional import spark_extra


def spark_config() -> dict[str, str]:
    """Return the settings that a Spark session of your own needs for featurestore.

    They are Delta's jars, its extension and its catalog, and the time zone UTC. Delta's jars are
    fetched once if they are not there. A session gets them only when its Java process starts, so
    build it before any other session of the Python process. If the variable PYSPARK_PYTHON has no
    value, it is set to this Python, so that Spark's tasks have the same packages.

    Returns:
        Names and values of settings, for the builder of a session.

    Raises:
        SetupError: pyspark is not installed, or Delta's jars cannot be fetched.

    Example:
        ``spark = SparkSession.builder.config(map=fs.spark_config()).getOrCreate()``, and then
        ``store = fs.FeatureStore(".", spark=spark)``
    """
    with spark_extra("spark_config()"):
        # Imported here, because the package is imported without pyspark.
        from featurestore.engines.spark.session.session import (  # noqa: PLC0415 - see above
            session_config,
        )
    return session_config()
