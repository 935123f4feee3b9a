"""Sessions of Spark or Delta that are too old are refused by their versions."""

import pytest

from featurestore.engines.spark.session.versions import problems_of, version_problems


@pytest.mark.parametrize(
    ("spark", "delta", "count"),
    [
        ("4.2.0", "4.4.0", 0),
        ("4.1.1", None, 0),
        ("4.0.1", None, 1),
        ("10.1", "10.0", 0),
        ("client.5.1", None, 0),
        ("3.5.8", "4.0.0", 1),
        ("4.1.0-preview2", "3.3.2", 1),
        ("3.5.8", "3.3.2", 2),
    ],
)
def test_old_versions_are_problems(spark, delta, count):
    assert len(problems_of(spark, delta)) == count


def test_the_session_of_the_tests_is_supported(spark):
    assert version_problems(spark) == []
