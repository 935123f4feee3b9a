"""Spark reads a quoted name as one name, and as the name that was quoted."""

from typing import TYPE_CHECKING

from hypothesis import given, settings

from featurestore.quoting import spark_name
from tests.test_quoting import NAMES

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_spark_reads_the_name_that_was_quoted(spark: "SparkSession") -> None:
    # As F.col and select read a name. No public method shows the parts.
    jvm = spark.sparkContext._jvm
    assert jvm is not None
    attribute = jvm.org.apache.spark.sql.catalyst.analysis.UnresolvedAttribute

    @given(name=NAMES.filter(bool))  # Spark has no empty names
    @settings(max_examples=200, deadline=None)
    def check(name: str) -> None:
        parts = attribute.parseAttributeName(spark_name(name))

        assert [parts.apply(number) for number in range(parts.length())] == [name]

    check()
